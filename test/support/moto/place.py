"""Where the server is, and a client of each of its services: python deployable.py PORT."""

import os
import sys
from pathlib import Path

import boto3

REGION = "eu-central-1"
PORT = sys.argv[1]
URL = f"http://127.0.0.1:{PORT}"
ROOT = Path(__file__).parents[3]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": REGION}
os.environ.update(CREDENTIALS, MOTO_PORT=PORT)


def api(service):
    return boto3.client(service, endpoint_url=URL, region_name=REGION)
