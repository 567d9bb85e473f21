"""The moderations of any server that speaks the OpenAI protocol, through OpenAI's own client."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import openai

from core.backends.addresses import is_address
from core.backends.filters import Verdict
from core.backends.llm import Endpoint
from core.errors import SettingsError, ToolFailedError
from core.translation import N_


class ModerationFilter:
    """Refuses what `{base_url}/moderations` flags."""

    name = "openai"

    def __init__(self, endpoint: Endpoint | None, timeout_seconds: float) -> None:
        if endpoint is None or not endpoint.model or not is_address(endpoint.base_url):
            raise SettingsError(
                N_("The address of the server that filters, or its model's name, is missing."),
                remedy=N_("Give filter_url, such as http://127.0.0.1:8000/v1, and filter_model in chat.yaml."),
            )
        self._endpoint = endpoint
        self._client = openai.OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key or "none",
            timeout=httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 5)),
            max_retries=0,  # a visitor waits; what a failure means is a setting
        )

    def refused(self, text: str) -> Verdict | None:
        """Return the categories that were flagged; ToolFailedError when the server does not answer in time."""
        if not text.strip():
            return None
        try:
            told = self._client.moderations.create(model=self._endpoint.model, input=text)
            results = [one for one in told.results if one.flagged]
        except (openai.OpenAIError, httpx.HTTPError, TypeError, AttributeError, ValueError) as error:
            raise ToolFailedError(
                N_("The filter at {address} did not answer: {problem}"),
                remedy=N_("Look at that server and at filter_url, filter_model and the key, then try again."),
                address=urlsplit(self._endpoint.base_url).netloc,
                problem=str(error).splitlines()[0] if str(error) else type(error).__name__,
            ) from error
        if not results:
            return None
        flagged = (name for name, is_so in results[0].categories.model_dump(by_alias=True).items() if is_so is True)
        return Verdict(", ".join(sorted(flagged)) or "flagged")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
