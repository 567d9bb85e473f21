"""What only the browser can do: put words on the clipboard, keep bytes as a file."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.domain.identity import new_id
from pages.ui.i18n import _

_COPY: Final = """
export default function ({ data }) {
  if (data.done) return;
  data.done = true;
  const by_hand = () => {
    const area = document.createElement("textarea");
    area.value = data.words;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
  if (navigator.clipboard) navigator.clipboard.writeText(data.words).catch(by_hand);
  else by_hand();
}
"""
_KEEP: Final = """
export default function ({ data }) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const name = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes.slice(4 + length)]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
"""
_copier = st.components.v2.component("studio_copy", js=_COPY)
_keeper = st.components.v2.component("studio_keep", js=_KEEP)


def copy_words(words: str) -> None:
    """Put words on the clipboard and say so."""
    with st.container(key="headless-copy", gap=None):
        _copier(key=new_id("copy"), data={"words": words}, height=1)
    st.toast(_("Copied."), icon=":material/content_copy:")


def keep_file(name: str, content: bytes) -> None:
    """Have the browser keep bytes as a file of that name."""
    told = name.encode()
    with st.container(key="headless-keep", gap=None):
        _keeper(key=new_id("keep"), data=len(told).to_bytes(4, "little") + told + content, height=1)
