"""The template deploys, in each of its shapes, and what stands then is what it says.

Moto's CloudFormation leaves out the types that it does not know; `LEFT_OUT` names them and the test of the
template that covers each.
"""

from __future__ import annotations

import ast
import json

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.infra import template
from tests.infra import test_template as static
from tests.infra.template import PLACE, SHAPES

LEFT_OUT = {
    "AWS::S3::BucketPolicy": static.test_what_is_not_public_is_read_and_written_by_tls_only,
    "AWS::CloudFront::Distribution": static.test_cloudfront_reads_the_bucket_as_itself_and_speaks_https,
    "AWS::CloudFront::OriginAccessControl": (
        static.test_cloudfront_reads_the_bucket_as_itself_and_speaks_https
    ),
    "AWS::CloudFront::Function": static.test_the_function_of_cloudfront_finds_the_page_of_a_folder,
    "AWS::SecretsManager::Secret": static.test_no_secret_stands_in_plain,
    "AWS::Scheduler::Schedule": static.test_the_schedule_starts_this_task_on_this_cluster,
    "AWS::SNS::Subscription": (static.test_a_night_that_ends_badly_and_one_that_does_not_come_are_both_told),
    "AWS::SNS::TopicPolicy": static.test_only_the_rule_and_the_alarm_write_to_the_topic,
    "AWS::Logs::MetricFilter": (static.test_a_night_that_ends_badly_and_one_that_does_not_come_are_both_told),
    "AWS::CloudWatch::Alarm": (static.test_a_night_that_ends_badly_and_one_that_does_not_come_are_both_told),
    "AWS::EC2::SecurityGroupEgress": static.test_nothing_comes_into_the_network,
}
# What moto cannot look up in resources that it left out or has in part only, and what it is given instead.
STAND_INS = {
    "${Distribution.DomainName}": "d1.cloudfront.net",
    "!GetAtt MySQL.MasterUserSecret.SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds",
    "${MySQL.MasterUserSecret.SecretArn}": "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds",
    "!GetAtt MySQL.Endpoint.Address": "mysql.example.org",
    "!GetAtt MySQL.Endpoint.Port": '"3306"',
    "DBParameterGroupName: !Ref OnlyByTLS": "DBParameterGroupName: default.mysql8.4",
}

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse .* but it's not supported by moto")


class Cloud:
    """A moto server, and a stack of each shape on it."""

    def __init__(self, place: str) -> None:
        self.place = place

    def client(self, service: str):
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        return boto3.client(service, endpoint_url=self.place, region_name="us-east-1", **keys)

    def deploy(self, shape: dict[str, str]) -> str:
        """Give the name of the stack of a shape, deployed."""
        body = PLACE.read_text()
        for text, stand_in in STAND_INS.items():
            assert text in body
            body = body.replace(text, stand_in)
        name = "hdash-" + "-".join(shape.values())
        parameters = shape | {"AlarmEmail": "ada@example.org"}
        stacks = self.client("cloudformation")
        if name not in {stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]}:
            stacks.create_stack(
                StackName=name,
                TemplateBody=body,
                Capabilities=["CAPABILITY_IAM"],
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
                ],
            )
        return name

    def created(self, stack: str) -> dict[str, tuple[str, str]]:
        """Give the type and the physical id of each resource of a stack."""
        listed = self.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
        return {
            r["LogicalResourceId"]: (r["ResourceType"], r["PhysicalResourceId"])
            for r in listed
            if r["ResourceType"]
        }


@pytest.fixture(scope="module")
def cloud():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=True)
    server.start()
    host, port = server.get_host_and_port()
    yield Cloud(f"http://{host}:{port}")
    server.stop()


shaped = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(shape.values()))


@shaped
def test_every_resource_of_a_shape_is_made_but_those_that_moto_leaves_out(cloud, shape):
    stack = cloud.deploy(shape)
    [described] = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    wanted = {name: resource["Type"] for name, resource in template.resources(shape).items()}
    created = {name: kind for name, (kind, _) in cloud.created(stack).items()}
    assert created == {name: kind for name, kind in wanted.items() if kind not in LEFT_OUT}
    assert {output["OutputKey"] for output in described["Outputs"]} == template.whole()["Outputs"].keys()


def test_each_type_that_moto_leaves_out_is_in_the_template():
    types = {resource["Type"] for resource in template.whole()["Resources"].values()}
    assert LEFT_OUT.keys() <= types


@shaped
def test_the_buckets_stand_encrypted(cloud, shape):
    """Of a bucket's properties moto takes over its encryption alone; the template's tests cover the rest."""
    created, s3 = cloud.created(cloud.deploy(shape)), cloud.client("s3")
    for name in ("SiteBucket", "StateBucket"):
        encryption = s3.get_bucket_encryption(Bucket=created[name][1])["ServerSideEncryptionConfiguration"]
        [rule] = encryption["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


@shaped
def test_the_task_stands_as_the_template_says(cloud, shape):
    created = cloud.created(cloud.deploy(shape))
    task = cloud.client("ecs").describe_task_definition(taskDefinition=created["Task"][1])["taskDefinition"]
    [container] = task["containerDefinitions"]
    [said] = template.of_type(shape, "AWS::ECS::TaskDefinition")["Task"]["ContainerDefinitions"]
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == said["User"]
    assert [m["containerPath"] for m in container["mountPoints"]] == ["/site/cache", "/site/public", "/tmp"]
    # Moto keeps a place for each value that `AWS::NoValue` leaves out, and has none for what it left out.
    environment, secrets = (list(filter(None, container[part])) for part in ("environment", "secrets"))
    assert [v["name"] for v in environment] == [v["Name"] for v in said["Environment"]]
    assert [v["name"] for v in secrets] == [v["Name"] for v in said["Secrets"]]
    values = {v["name"]: v.get("value") for v in environment}
    assert values["S3_BUCKET_NAME"] == created["SiteBucket"][1]
    assert values["HDASH_STATE_URL"] == f"s3://{created['StateBucket'][1]}/state"
    [repository] = cloud.client("ecr").describe_repositories(repositoryNames=[created["Repository"][1]])[
        "repositories"
    ]
    assert container["image"] == repository["repositoryUri"] + ":latest"
    [group] = cloud.client("logs").describe_log_groups(logGroupNamePrefix=created["Logs"][1])["logGroups"]
    assert group["retentionInDays"] == 90


@shaped
def test_the_roles_stand_with_what_the_stack_made(cloud, shape):
    created, iam = cloud.created(cloud.deploy(shape)), cloud.client("iam")

    def policy(role, name):
        document = iam.get_role_policy(RoleName=created[role][1], PolicyName=name)["PolicyDocument"]
        return filter(None, ast.literal_eval(document)["Statement"])  # moto's way to write it

    site, state = (f"arn:aws:s3:::{created[name][1]}" for name in ("SiteBucket", "StateBucket"))
    lists, objects, *cloudfront = policy("TaskRole", "nightly")
    assert set(lists["Resource"]) == {site, state}
    assert set(objects["Resource"]) == {f"{site}/*", f"{state}/*"}
    assert len(cloudfront) == (shape["Site"] == "private")
    run, pass_on = policy("SchedulerRole", "start")
    assert run["Resource"] == created["Task"][1]
    assert [role.rpartition("/")[2] for role in pass_on["Resource"]] == [
        created["ExecutionRole"][1],
        created["TaskRole"][1],
    ]


@shaped
def test_the_network_stands_as_the_template_says(cloud, shape):
    created, ec2 = cloud.created(cloud.deploy(shape)), cloud.client("ec2")
    [group] = ec2.describe_security_groups(GroupIds=[created["TaskGroup"][1]])["SecurityGroups"]
    assert group["IpPermissions"] == []
    [table] = ec2.describe_route_tables(RouteTableIds=[created["Routes"][1]])["RouteTables"]
    assert created["Gateway"][1] in {route.get("GatewayId") for route in table["Routes"]}
    assert ec2.describe_nat_gateways()["NatGateways"] == []
    databases = cloud.client("rds").describe_db_instances()["DBInstances"]
    mine = [d for d in databases if d["DBInstanceIdentifier"] == created.get("MySQL", ("", ""))[1]]
    assert len(mine) == (shape["Database"] == "mysql")
    for database in mine:
        assert database["StorageEncrypted"] is True
        assert database["PubliclyAccessible"] is False


@shaped
def test_the_rule_watches_this_cluster(cloud, shape):
    created = cloud.created(cloud.deploy(shape))
    rules = cloud.client("events")
    rule = rules.describe_rule(Name=created["NightFailed"][1])
    [cluster] = json.loads(rule["EventPattern"])["detail"]["clusterArn"]
    assert cluster.endswith(f":cluster/{created['Cluster'][1]}")
    [target] = rules.list_targets_by_rule(Rule=created["NightFailed"][1])["Targets"]
    assert target["Arn"] == created["Alarms"][1]
