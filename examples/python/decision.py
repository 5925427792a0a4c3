# Retrieves the decision of a session with `requests`, and prints its status and the full name.
# DIDIT_BASE_URL=... DIDIT_CLIENT_ID=... DIDIT_CLIENT_SECRET=... python3 decision.py SESSION_ID
# It does not use the SDK: any language can call the API, or `didit sandbox`, like this.

import os
import sys
from urllib.parse import quote

import requests

TIMEOUT = 10


def call(session, method, path, **options):
    url = os.environ["DIDIT_BASE_URL"] + path
    response = session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **options)
    if response.status_code != 200:
        raise RuntimeError(f"HTTP {response.status_code}: {response.text}")
    return response.json()


def client_token(session):
    pair = [quote(os.environ[name], safe="") for name in ("DIDIT_CLIENT_ID", "DIDIT_CLIENT_SECRET")]
    form = {"grant_type": "client_credentials"}
    return call(session, "POST", "/auth/v2/token/", auth=tuple(pair), data=form)["access_token"]


def session_decision(session, session_id):
    headers = {
        "Authorization": f"Bearer {client_token(session)}",
        "Content-Type": "application/json",
    }
    path = f"/auth/v2/session/{quote(session_id, safe='')}/decision/"
    return call(session, "GET", path, headers=headers)


def main():
    with requests.Session() as session:
        # Without this, a ~/.netrc would replace the bearer token.
        session.trust_env = False
        decision = session_decision(session, sys.argv[1])
    names = (decision.get("user_data") or {}).get("names") or {}
    name = names.get("full_name", "nobody")
    print(f"{decision['session_id']}: {decision['status']}, {name}")


try:
    main()
except (requests.RequestException, RuntimeError) as error:
    sys.exit(f"could not retrieve the decision: {error}")
