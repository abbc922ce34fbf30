"""Vertex: a service account with a key made for the test signs in at a token endpoint on loopback."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from botarmy.completion import CompletionRequest, Message
from botarmy.errors import AuthenticationFailed, SettingsError
from providers.fake_server import FakeServer, Say
from providers.fake_vendors import GeminiVoice
from providers.gemini import Gemini, Vertex

TOKEN = "ya29.canary-token-0123456789"
REQUEST = CompletionRequest(
    role="analyst",
    purpose="capital",
    inputs={},
    messages=(Message(role="user", content="Capital of France?"),),
    output_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    timeout_s=20,
)
ANSWER = GeminiVoice().streamed(json.dumps({"answer": {"city": "Paris"}, "confidence": 1}))


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account_file(folder: Path, key: rsa.RSAPrivateKey, token_uri: str) -> Path:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    file = folder / "account.json"
    fields = {
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": "k1",
        "private_key": pem,
        "client_email": "bot@example.invalid",
        "client_id": "1",
        "token_uri": token_uri,
    }
    file.write_text(json.dumps(fields))
    return file


def adapter(url: str, file: Path) -> Gemini:
    vertex = Vertex(credentials_file=file, project="shop", location="europe-west4")
    return Gemini("gemini-test", vertex=vertex, base_url=url)


async def test_signs_in_and_answers(tmp_path: Path, private_key: rsa.RSAPrivateKey) -> None:
    token = Say(body={"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
    async with FakeServer([token]) as sign_in, FakeServer([ANSWER]) as server:
        gemini = adapter(server.url, account_file(tmp_path, private_key, f"{sign_in.url}/token"))
        done = await gemini.complete(REQUEST)
        await gemini.aclose()
    assert done.parsed == {"city": "Paris"}
    assertion = parse_qs(sign_in.asked[0].body)["assertion"][0]
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in assertion.split("."))
    signed = assertion.rsplit(".", 1)[0].encode()
    private_key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(head)["kid"] == "k1"
    assert json.loads(claims)["iss"] == "bot@example.invalid"
    asked = server.asked[0]
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert (
        "/projects/shop/locations/europe-west4/publishers/google/models/gemini-test:streamGenerateContent" in asked.path
    )


async def test_a_refused_account_is_an_authentication_error(tmp_path: Path, private_key: rsa.RSAPrivateKey) -> None:
    refused = Say(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    async with FakeServer([refused]) as sign_in, FakeServer([ANSWER]) as server:
        gemini = adapter(server.url, account_file(tmp_path, private_key, f"{sign_in.url}/token"))
        with pytest.raises(AuthenticationFailed, match="could not sign in") as caught:
            await gemini.complete(REQUEST)
        await gemini.aclose()
    assert server.asked == []
    assert "PRIVATE KEY" not in str(caught.value)


async def test_a_file_that_is_no_account_is_a_wrong_setting(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    for text in (None, "{}", "not json"):
        if text is not None:
            file.write_text(text)
        with pytest.raises(SettingsError, match="no service account's key file"):
            await adapter("http://127.0.0.1:1", file).complete(REQUEST)
