"""The whole service, as a child process."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request


class ProcessTest(unittest.TestCase):
    def test_it_starts_answers_and_stops(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"], env={**os.environ, "PORT": str(port), "DATA_DIR": folder}
            )
            for _ in range(100):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                        self.assertEqual(json.load(answer), {"status": "ok"})
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                self.fail("not healthy")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(10), 0)
