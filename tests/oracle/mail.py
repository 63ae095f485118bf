"""Has mes-alert send mail to aiosmtpd, which demands STARTTLS and a password, and reads what came. Called by `run`."""

import email
import email.policy
import os
import pathlib
import socket
import ssl
import subprocess
import tempfile

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

root = pathlib.Path(__file__).resolve().parents[2]
keys = root / "tools/mes-alert/src/channels/tests"
PASSWORD = "Zq7Kp2Wx9Lm4Rt6Yv1"


class Box:
    """Keeps what it is handed."""

    def __init__(self):
        self.mails = []
        self.mechanisms = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((session.ssl is not None, session.authenticated, envelope))
        return "250 kept"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.mechanisms.append(mechanism)
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"mes", PASSWORD.encode())
        # The answer to a refusal is left to the server.
        return AuthResult(success=good, handled=False)


def send(port, password, tls):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "alerts.toml"
        config.write_text(
            f"""
            [channels.post]
            type = "mail"
            host = "localhost"
            port = {port}
            tls = "{tls}"
            ca = "{keys / 'ca.pem'}"
            user = "mes"
            password_env = "MAIL_PASSWORD"
            from = "mes <mes@example.com>"
            to = ["me@example.com", "you@example.com"]
            [[route]]
            to = ["post"]
            """
        )
        command = ["mes-alert", "--config", str(config), "test"]
        return subprocess.run(command, env=os.environ | {"MAIL_PASSWORD": password}, capture_output=True, text=True, timeout=60)


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(keys / "ca.pem", keys / "key.pem")
for tls in ["starttls", "tls"]:
    for excluded, mechanism in [([], "PLAIN"), (["PLAIN"], "LOGIN")]:
        box = Box()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        ways = {"tls_context": context, "require_starttls": True} if tls == "starttls" else {"ssl_context": context}
        controller = Controller(
            box,
            hostname="127.0.0.1",
            port=port,
            authenticator=box.authenticate,
            auth_required=True,
            auth_require_tls=tls == "starttls",
            auth_exclude_mechanism=excluded,
            **ways,
        )
        controller.start()
        try:
            refused = send(port, "another", tls)
            assert refused.returncode == 1 and "535" in refused.stdout and "another" not in refused.stdout, refused
            assert not box.mails
            told = send(port, PASSWORD, tls)
            assert told.returncode == 0 and told.stdout == "post: told\n", told
        finally:
            controller.stop()
        (secure, authenticated, envelope) = box.mails[0]
        assert authenticated and (secure or tls == "tls"), (secure, authenticated)
        assert box.mechanisms[-1] == mechanism, box.mechanisms
        assert envelope.mail_from == "mes@example.com", envelope.mail_from
        assert envelope.rcpt_tos == ["me@example.com", "you@example.com"], envelope.rcpt_tos
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert mail["subject"].startswith("mes urgent: a trial by mes-alert test"), mail["subject"]
        assert "URGENT" in mail.get_content() and not mail.defects, mail.defects
        print(f"mail: aiosmtpd has it, by {tls} and AUTH {mechanism}")
