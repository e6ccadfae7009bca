"""The node's start looks at its object store first."""

from __future__ import annotations

import pytest

from storyforge.cli.node import require_store
from storyforge.errors import SetupProblem
from storyforge.settings import Settings, StoreSettings
from storyforge.storage import open_store
from storyforge.storage.store import Bucket


def test_a_store_that_cannot_be_reached_stops_the_start_and_says_so() -> None:
    store = StoreSettings(
        endpoint_url="http://127.0.0.1:9", access_key="a", secret_key="b", attempts=1
    )
    with pytest.raises(SetupProblem, match=r"(?i)reach|answer"):
        require_store(Settings(store=store))


@pytest.mark.s3
def test_a_good_store_passes_and_has_its_buckets(s3_settings: StoreSettings) -> None:
    fresh = s3_settings.model_copy(update={"exports_bucket": "storyforge-exports-of-a-start"})
    settings = Settings(store=fresh)
    require_store(settings)
    store = open_store(settings)
    assert list(store.list(Bucket.EXPORTS)) == []
    store.close()
