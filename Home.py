"""The entry: `streamlit run Home.py`.

The script that runs for every visit is `pages/ui/entrance.py`. It does not lie beside `pages/`, or Streamlit
would take that folder for its own older way of making pages and greet the first deep link to a fresh server with
"Page not found".
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

app = st.App(Path(__file__).parent / "pages" / "ui" / "entrance.py")
