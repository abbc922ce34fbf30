"""Settings: names, forms, secrecy, and all problems at once."""

import pytest

from botarmy.errors import SettingsError
from botarmy.settings import ROLES, RoleChoice, Settings, load_settings, role_map, setting_names


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)


def test_without_any_setting_everything_has_a_default():
    settings = load_settings(None)
    assert settings.database_url is None
    assert str(settings.botarmy_home) == ".botarmy"
    assert (settings.max_brief_bytes, settings.max_artifact_bytes, settings.max_log_bytes) == (
        1_000_000,
        8_000_000,
        200_000,
    )
    assert role_map(settings) == {role: RoleChoice(provider="offline") for role in ROLES}


def test_the_example_file_names_every_setting_and_no_other(pytestconfig):
    lines = (pytestconfig.rootpath / ".env.example").read_text("utf-8").splitlines()
    named = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert sorted(named) == sorted(setting_names())


def test_the_example_file_gives_the_defaults(pytestconfig):
    assert load_settings(pytestconfig.rootpath / ".env.example") == load_settings(None)


def test_names_are_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@db/botarmy")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("BOTARMY_MAX_BRIEF_BYTES", "2000")
    monkeypatch.setenv("BOTARMY_BY", "Ada")
    monkeypatch.setenv("CODER_AGENT_PROVIDER", "openai")
    monkeypatch.setenv("CODER_AGENT_MODEL", "gpt-x")
    settings = load_settings(None)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:p@db/botarmy"
    assert settings.max_brief_bytes == 2000
    assert settings.botarmy_by == "Ada"
    assert settings.provider_of("coder") == "openai"
    assert settings.provider_of("tester") == "offline"
    assert role_map(settings)["coder"] == RoleChoice(provider="openai", model="gpt-x")


def test_the_environment_wins_over_the_file_and_empty_is_not_set(monkeypatch, tmp_path):
    file = tmp_path / ".env"
    file.write_text("BOTARMY_BY=File\nBOTARMY_HOME=/srv/x\nOPENAI_BASE_URL=\n", "utf-8")
    monkeypatch.setenv("BOTARMY_BY", "Shell")
    monkeypatch.setenv("BOTARMY_HOME", "")
    settings = load_settings(file)
    assert settings.botarmy_by == "Shell"
    assert str(settings.botarmy_home) == "/srv/x"
    assert settings.openai_base_url is None


def test_secrets_never_show(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:geheim@db/botarmy")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "geheim")
    settings = load_settings(None)
    assert "geheim" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_all_problems_come_at_once_without_values(monkeypatch, tmp_path):
    file = tmp_path / ".env"
    file.write_text("BOTARMY_HOEM=/x\nCODER_AGENT_MODLE=y\nBOTARMY_MAX_LOG_BYTES=lots\n", "utf-8")
    monkeypatch.setenv("DATABASE_URL", "mysql://u:geheim@db/x")
    monkeypatch.setenv("OPENAI_BASE_URL", "models.example.org")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    message = caught.value.message
    assert message.startswith("5 settings cannot be used: ")
    assert "BOTARMY_HOEM is no setting (did you mean BOTARMY_HOME?)" in message
    assert "BOTARMY_MAX_LOG_BYTES (in .env): " in message
    assert "DATABASE_URL: must be a PostgreSQL address" in message
    assert "OPENAI_BASE_URL: must be a full web address" in message
    assert "geheim" not in message
    assert ".env.example" in caught.value.hint


def test_a_single_problem_is_one_sentence(monkeypatch):
    monkeypatch.setenv("BOTARMY_MAX_BRIEF_BYTES", "0")
    with pytest.raises(SettingsError, match="A setting cannot be used: BOTARMY_MAX_BRIEF_BYTES: "):
        load_settings(None)


def test_a_misspelt_name_in_the_file_alone_is_reported(tmp_path):
    file = tmp_path / ".env"
    file.write_text("BOTARMY_XYZZY=1\nOTHER_PROGRAM=1\n", "utf-8")
    with pytest.raises(SettingsError, match="BOTARMY_XYZZY is no setting"):
        load_settings(file)


def test_a_model_without_a_provider_is_refused(monkeypatch):
    monkeypatch.setenv("TESTER_AGENT_MODEL", "gpt-x")
    with pytest.raises(SettingsError, match="TESTER_AGENT_MODEL is set, but TESTER_AGENT_PROVIDER is not"):
        load_settings(None)


def test_an_env_file_that_is_no_text_is_refused(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read: it is not UTF-8 text"):
        load_settings(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_settings(file)


def test_an_unknown_role_is_named():
    with pytest.raises(SettingsError, match="no role 'painter'"):
        Settings(_env_file=None).provider_of("painter")
