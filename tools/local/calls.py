"""HTTP on this machine: without proxies, and without certificates, which take longer to load than a call does."""

import ssl

import httpx

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody who speaks TLS; made in no time."""

LOCAL = httpx.Client(
    verify=NO_AUTHORITIES, trust_env=False, timeout=600, limits=httpx.Limits(max_keepalive_connections=0)
)
"""For the local AWS, the doubles and the shop's address."""
