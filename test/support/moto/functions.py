"""What moto 5.2.5 lacks to run functions without Docker, custom resources among them, and to call them upon events."""

import copy
import io
import json
import os
import subprocess
import tempfile
import threading
import types
import zipfile
from pathlib import Path

from moto import settings
from moto.awslambda.models import LambdaFunction
from moto.cloudformation import custom_model
from moto.cloudformation.models import Stack
from moto.core.responses import BaseResponse
from moto.events.models import Rule

from place import CREDENTIALS, REGION, ROOT, URL, api
from resources import complete


def run_function(self, event=None):
    """moto: needs Docker. Here the bundle runs, out of the zip that was deployed, in Node, told what the template tells it."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(self.code_bytes)).extractall(f"{folder}/code")
        environment = {
            **self.environment_vars, **CREDENTIALS, "AWS_ENDPOINT_URL": URL, "NODE_PATH": str(ROOT / "node_modules"),
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_size),
        }  # fmt: skip
        command = [os.environ["NODE"], str(Path(__file__).with_name("runHandler.ts")), f"{folder}/code", self.handler]
        run = subprocess.run(command, env=environment, input=json.dumps(event).encode(), capture_output=True,
                             timeout=int(self.timeout))  # fmt: skip
        said = run.stderr.decode() + run.stdout.decode()
        print(f"{self.function_name}: {said}", flush=True)
        reply = Path(folder, "reply.json")
        if reply.exists():
            return reply.read_text(), run.returncode != 0, said
        return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": said}), True, said


LambdaFunction._invoke_lambda = run_function

# A deployment waits for its custom resources, as CloudFormation does. moto: goes on without, and looks later.
custom_model.threading = types.SimpleNamespace(
    Thread=lambda target, args: types.SimpleNamespace(start=lambda: target(*args))
)
Stack.verify_readiness = lambda _: None
settings.moto_server_host = lambda: "http://127.0.0.1"
BaseResponse.default_region = REGION  # Of a custom resource's answer, which is not signed.


def made_in_time(resource, _):
    """moto: takes a custom resource that failed for one that is not ready yet."""
    if not resource.is_created():
        raise RuntimeError(f"{resource.logical_id} was not made: see the log of its function")


complete(custom_model.CustomModel, made_in_time)

without_functions = Rule.send_to_targets


def send_to_targets(self, original_event, transform_input=True):
    """moto: has no functions among the targets, and writes `eTag` where S3 writes `etag`."""
    called = [target["Arn"] for target in self.targets if ":lambda:" in target["Arn"]]
    if not called:
        return without_functions(self, original_event, transform_input)
    if self.event_pattern.matches_event(original_event):
        event = copy.deepcopy(original_event)
        if "eTag" in event["detail"].get("object", {}):
            event["detail"]["object"]["etag"] = event["detail"]["object"].pop("eTag")
        for arn in called:
            body = {"FunctionName": arn, "InvocationType": "Event", "Payload": json.dumps(event)}
            threading.Thread(target=api("lambda").invoke, kwargs=body).start()


Rule.send_to_targets = send_to_targets
