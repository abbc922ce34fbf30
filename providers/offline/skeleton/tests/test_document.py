"""The OpenAPI document that the service hands out."""

from __future__ import annotations

import json
import re

from app.__main__ import DOCUMENT
from tests.support import ServiceCase


class DocumentTest(ServiceCase):
    """app/openapi.json and the service agree."""

    def test_every_documented_operation_is_served(self) -> None:
        paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
        for path, item in paths.items():
            target = re.sub(r"\{[^}]*\}", "1", path)
            for method in {"get", "put", "post", "delete"} & set(item):
                status, content = self.call(method.upper(), target, {} if method in ("put", "post") else None)
                with self.subTest(method=method, path=path):
                    self.assertNotEqual(status, 405)
                    if status == 404:
                        self.assertNotIn("path", content["error"]["message"])
