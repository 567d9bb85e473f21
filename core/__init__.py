"""Everything chat-daiyu does, without its face: no module here imports Streamlit."""
