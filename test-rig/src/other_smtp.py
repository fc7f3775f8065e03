"""aiosmtpd with STARTTLS and AUTH: keeps each mail as a file, and ends with its standard input."""

import os
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

folder, port, user, password = sys.argv[1:]


class Keep:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        encrypted = "encrypted" if session.ssl else "clear"
        facts = [envelope.mail_from, " ".join(envelope.rcpt_tos), encrypted, session.auth_data.login.decode()]
        path = os.path.join(folder, str(self.count))
        with open(path + ".new", "wb") as file:
            file.write("\n".join(facts).encode() + b"\n" + envelope.original_content)
        # Renamed into place, so that nobody reads half of it.
        os.rename(path + ".new", path + ".mail")
        return "250 OK: kept"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data == LoginPassword(user.encode(), password.encode())
    return AuthResult(success=right, handled=False, auth_data=data if right else None)


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
controller = Controller(
    Keep(),
    hostname="127.0.0.1",
    port=int(port),
    tls_context=tls,
    require_starttls=True,
    auth_required=True,
    authenticator=authenticate,
)
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
