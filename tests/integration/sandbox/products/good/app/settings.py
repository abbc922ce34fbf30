"""What the environment says."""

import os
from pathlib import Path


class Settings:
    """Read once at the start."""

    def __init__(self) -> None:
        self.host = os.environ.get("HOST", "127.0.0.1")
        self.port = int(os.environ.get("PORT", "8080"))
        self.data = Path(os.environ.get("DATA_DIR", "data"))
        self.log_level = os.environ.get("LOG_LEVEL", "INFO")
