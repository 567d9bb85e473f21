"""The kit of the face: besides the page scripts and Home, only this folder imports Streamlit."""
