"""
Resources that moto 5.2.5's CloudFormation does not make, or not wholly: here they are made by the API calls that
CloudFormation would make, with the properties of the template (boto3 checks their names and types), on moto's services.
"""

import copy
import json

from moto.cloudformation.parsing import get_model_list, get_model_map, get_name_type_map
from moto.core.common_models import CloudFormationModel
from moto.iam.access_control import IAMPolicy
from moto.kms.models import Key
from moto.s3.models import FakeBucket

from place import api


def resource(cloudformation_type, create, delete=None):
    """A type: `create` gets the properties and a name, makes the thing, and returns what `Ref` gives, if not that name."""

    class Made(CloudFormationModel):
        __module__ = "moto.deployable.models"  # moto looks up a model's service there.

        @staticmethod
        def cloudformation_name_type():
            return ""

        @staticmethod
        def cloudformation_type():
            return cloudformation_type

        @classmethod
        def create_from_cloudformation_json(cls, resource_name, cloudformation_json, *_, **__):
            made = cls()
            made.properties = cloudformation_json["Properties"]
            name = create(made.properties, resource_name)
            made.physical_resource_id = name if isinstance(name, str) else resource_name
            return made

        def is_created(self):
            return True

        def delete(self, *_):
            if delete:
                delete(self.properties, self.physical_resource_id)

    return Made


def complete(model, more):
    """A type that moto knows: after it made one, `more` gets it and its properties."""
    make = model.create_from_cloudformation_json.__func__

    def create(cls, resource_name, cloudformation_json, *args, **kwargs):
        properties = copy.deepcopy(cloudformation_json["Properties"])
        made = make(cls, resource_name, cloudformation_json, *args, **kwargs)
        more(made, properties)
        return made

    model.create_from_cloudformation_json = classmethod(create)


def renamed(properties, **names):
    return {names.get(k, k): v for k, v in properties.items()}


# --- Types that moto does not know ---


def queue_policy(p, _):
    for url in p["Queues"]:
        api("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(p["PolicyDocument"])})


def lower(p):
    """API Gateway's own spelling."""
    return {k[0].lower() + k[1:]: v for k, v in p.items()}


def api_stage(p, _):
    """Of the stage's settings, those of methods and of the access log are changes to it."""
    p = copy.deepcopy(p)
    log, methods = p.pop("AccessLogSetting", {}), p.pop("MethodSettings", [])
    p["tags"] = {tag["Key"]: tag["Value"] for tag in p.pop("Tags", [])}
    api("apigateway").create_stage(**lower(p))
    paths = {"MetricsEnabled": "metrics/enabled", "LoggingLevel": "logging/loglevel",
             "DataTraceEnabled": "logging/dataTrace", "ThrottlingBurstLimit": "throttling/burstLimit",
             "ThrottlingRateLimit": "throttling/rateLimit"}  # fmt: skip
    changes = {f"/accessLogSettings/{k}": v for k, v in lower(log).items()}
    for method in methods:
        prefix = f"{method.pop('ResourcePath')}/{method.pop('HttpMethod')}"
        changes.update({f"{prefix}/{paths[k]}": str(v) for k, v in method.items()})
    operations = [{"op": "replace", "path": k, "value": v} for k, v in changes.items()]
    api("apigateway").update_stage(restApiId=p["RestApiId"], stageName=p["StageName"], patchOperations=operations)
    return p["StageName"]


def api_account(p, _):
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": p["CloudWatchRoleArn"]}
    api("apigateway").update_account(patchOperations=[change])


TYPES = [
    resource("AWS::S3::BucketPolicy",
             lambda p, _: api("s3").put_bucket_policy(Bucket=p["Bucket"], Policy=json.dumps(p["PolicyDocument"])),
             lambda p, _: api("s3").delete_bucket_policy(Bucket=p["Bucket"])),
    resource("AWS::SQS::QueuePolicy", queue_policy),
    resource("AWS::SecretsManager::Secret",
             lambda p, name: api("secretsmanager").create_secret(Name=name, **p)["ARN"],
             lambda _, arn: api("secretsmanager").delete_secret(SecretId=arn)),
    resource("AWS::Lambda::EventInvokeConfig",
             lambda p, _: api("lambda").put_function_event_invoke_config(**p)),
    resource("AWS::ApiGateway::Account", api_account),
    resource("AWS::ApiGateway::Stage", api_stage),
    resource("AWS::ApiGateway::GatewayResponse",
             lambda p, _: api("apigateway").put_gateway_response(**lower(p))),
    resource("AWS::CloudWatch::Alarm",
             lambda p, name: api("cloudwatch").put_metric_alarm(AlarmName=name, **p),
             lambda _, name: api("cloudwatch").delete_alarms(AlarmNames=[name])),
]  # fmt: skip
for cached in (get_model_list, get_model_map, get_name_type_map):
    cached.cache_clear()


# --- Types that moto knows in part ---


def lifecycle_rule(rule):
    rule = renamed(rule, Id="ID")
    expiration = renamed({k: rule.pop(k) for k in ("ExpirationInDays", "ExpiredObjectDeleteMarker") if k in rule},
                         ExpirationInDays="Days")  # fmt: skip
    return {"Filter": {"Prefix": rule.pop("Prefix", "")}, **({"Expiration": expiration} if expiration else {}), **rule}


def bucket_settings(bucket, p):
    """moto: takes the tags, and the encryption without its bucket key."""
    s3, at = api("s3"), {"Bucket": bucket.name}
    if "BucketEncryption" in p:
        rules = [renamed(rule, ServerSideEncryptionByDefault="ApplyServerSideEncryptionByDefault")
                 for rule in p["BucketEncryption"]["ServerSideEncryptionConfiguration"]]  # fmt: skip
        s3.put_bucket_encryption(**at, ServerSideEncryptionConfiguration={"Rules": rules})
    if "VersioningConfiguration" in p:
        s3.put_bucket_versioning(**at, VersioningConfiguration=p["VersioningConfiguration"])
    if "PublicAccessBlockConfiguration" in p:
        s3.put_public_access_block(**at, PublicAccessBlockConfiguration=p["PublicAccessBlockConfiguration"])
    if "OwnershipControls" in p:
        s3.put_bucket_ownership_controls(**at, OwnershipControls=p["OwnershipControls"])
    if "LifecycleConfiguration" in p:
        rules = [lifecycle_rule(rule) for rule in p["LifecycleConfiguration"]["Rules"]]
        s3.put_bucket_lifecycle_configuration(**at, LifecycleConfiguration={"Rules": rules})
    if "CorsConfiguration" in p:
        rules = [renamed(rule, ExposedHeaders="ExposeHeaders", MaxAge="MaxAgeSeconds")
                 for rule in p["CorsConfiguration"]["CorsRules"]]  # fmt: skip
        s3.put_bucket_cors(**at, CORSConfiguration={"CORSRules": rules})
    if "NotificationConfiguration" in p:
        s3.put_bucket_notification_configuration(**at, NotificationConfiguration={"EventBridgeConfiguration": {}})
    # Not made: LoggingConfiguration. moto writes no access logs.


def key_policy(key, p):
    """moto: keeps the policy as it never reads it."""
    key.policy = json.dumps(p["KeyPolicy"])


def get_permission(self, action, resource):
    """moto: looks at no condition. Ours are about TLS, which this server does not speak: they are kept, not applied."""
    policy = json.loads(self.policy) if self.policy else {}
    policy["Statement"] = [s for s in policy.get("Statement", []) if "Condition" not in s]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


complete(FakeBucket, bucket_settings)
complete(Key, key_policy)
FakeBucket.get_permission = get_permission
