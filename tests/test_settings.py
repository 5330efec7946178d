"""Settings: environment, secret files, and nothing misspelt passes."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings


def test_environment_reaches_nested_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable names its group and its setting."""
    monkeypatch.setenv("CLAIMSTREAM_KAFKA__GROUP", "desk")
    assert Settings().kafka.group == "desk"


def test_arguments_go_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is passed in wins; the rest of its group still comes from the environment."""
    monkeypatch.setenv("CLAIMSTREAM_KAFKA__GROUP", "desk")
    monkeypatch.setenv("CLAIMSTREAM_KAFKA__CLIENT_ID", "one")
    kafka = Settings.model_validate({"kafka": {"group": "mine"}}).kafka
    assert (kafka.group, kafka.client_id) == ("mine", "one")


def test_secrets_come_from_files_and_stay_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named as the variable holds the secret, which no representation shows."""
    (tmp_path / "CLAIMSTREAM_KAFKA__SASL_PASSWORD").write_text("hush\n")
    monkeypatch.setenv("CLAIMSTREAM_SECRETS_DIR", str(tmp_path))
    settings = Settings()
    password = settings.kafka.sasl_password
    assert password is not None
    assert password.get_secret_value() == "hush"
    assert "hush" not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA__GROPU", "desk"),
        ("HTTP__PORT", "70000"),
        ("TOPICS__ARTICLES", "no spaces"),
        ("WORKER__ATTEMPTS", "0"),
    ],
)
def test_wrong_settings_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Misspelt names and values out of range are errors, not ignored."""
    monkeypatch.setenv(f"CLAIMSTREAM_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_are_frozen() -> None:
    """Nothing changes them once they are built."""
    with pytest.raises(ValidationError):
        Settings().kafka.group = "other"  # type: ignore[misc]
