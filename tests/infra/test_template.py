"""What the template promises, whatever it is deployed with: who may do what, what is closed, who is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import playwright
import pytest

from tests.infra import template
from tests.infra.template import PLACE, ROOT, SHAPES, listed

SITE, STATE = "${SiteBucket.Arn}", "${StateBucket.Arn}"
DISTRIBUTION = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
IN_OBJECTS = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
SECRET = {"SYNAPSE_AUTH_TOKEN", "SLACK_WEBHOOK_URL", "HDASH_DB_PASSWORD"}

shaped = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "-".join(shape.values()))


def test_cfn_lint_says_nothing_not_even_for_information():
    command = [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I"]
    regions = ["--regions", "us-east-1", "us-west-2", "eu-central-1"]
    done = subprocess.run([*command, *regions, "--template", PLACE], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- Who may do what ---------------------------------------------------------------------------------------


@shaped
def test_no_policy_allows_a_wildcard_action(shape):
    """A `*` that denies takes rights away, and is whole only as `*`: that is the refusal of plain HTTP."""
    for name, statement in template.statements(shape):
        if statement["Effect"] == "Allow":
            assert not [action for action in listed(statement["Action"]) if "*" in action], name
            assert "NotAction" not in statement, name
        else:
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name


@shaped
def test_no_policy_allows_anything_on_everything_but_to_log_in_to_the_registry(shape):
    """AWS lets nobody narrow that one."""
    on_all = [listed(s["Action"]) for _, s in template.statements(shape) if "*" in listed(s.get("Resource"))]
    assert on_all == [["ecr:GetAuthorizationToken"]]


def allowed(shape, role):
    """Give (action, resource) for all that a role may do."""
    return {
        (action, resource)
        for name, statement in template.statements(shape)
        if name == role and "Principal" not in statement
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@shaped
def test_the_task_may_do_what_the_program_does_and_nothing_else(shape):
    expected = {("s3:ListBucket", bucket) for bucket in (SITE, STATE)}
    expected |= {(action, f"{bucket}/*") for action in IN_OBJECTS for bucket in (SITE, STATE)}
    if shape["Site"] == "private":
        expected.add(("cloudfront:CreateInvalidation", DISTRIBUTION))
    assert allowed(shape, "TaskRole") == expected


@shaped
def test_starting_the_task_takes_its_image_its_log_and_its_secrets(shape):
    images = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    secrets = ["${SynapseToken}"]
    secrets += ["${SlackWebhook}"] * (shape["Slack"] == "yes")
    secrets += ["${MySQL.MasterUserSecret.SecretArn}"] * (shape["Database"] == "mysql")
    assert allowed(shape, "ExecutionRole") == {
        ("ecr:GetAuthorizationToken", "*"),
        *((action, "${Repository.Arn}") for action in images),
        *((action, "${Logs.Arn}") for action in ("logs:CreateLogStream", "logs:PutLogEvents")),
        *(("secretsmanager:GetSecretValue", secret) for secret in secrets),
    }


@shaped
def test_the_schedule_starts_this_task_on_this_cluster(shape):
    assert allowed(shape, "SchedulerRole") == {
        ("ecs:RunTask", "${Task}"),
        ("iam:PassRole", "${ExecutionRole.Arn}"),
        ("iam:PassRole", "${TaskRole.Arn}"),
    }
    conditions = [s.get("Condition") for name, s in template.statements(shape) if name == "SchedulerRole"][1:]
    assert conditions == [
        {"ArnEquals": {"ecs:cluster": "${Cluster.Arn}"}},
        {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    ]
    [nightly] = template.of_type(shape, "AWS::Scheduler::Schedule").values()
    assert nightly["Target"]["Arn"] == "${Cluster.Arn}"
    assert nightly["Target"]["RoleArn"] == "${SchedulerRole.Arn}"
    parameters = nightly["Target"]["EcsParameters"]
    assert (parameters["TaskDefinitionArn"], parameters["LaunchType"]) == ("${Task}", "FARGATE")
    network = parameters["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "ENABLED", "without it, nothing is reached: there is no NAT gateway"
    assert network["Subnets"] == ["${TaskSubnet}"]
    assert network["SecurityGroups"] == ["${TaskGroup.GroupId}"]


@shaped
def test_only_the_service_meant_takes_a_role_and_only_for_this_account(shape):
    services = {"ExecutionRole": "ecs-tasks", "TaskRole": "ecs-tasks", "SchedulerRole": "scheduler"}
    roles = template.of_type(shape, "AWS::IAM::Role")
    assert roles.keys() == services.keys()
    for name, role in roles.items():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": f"{services[name]}.amazonaws.com"}
        assert trust["Action"] == "sts:AssumeRole"
        assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == "${AWS::AccountId}"
        assert "ManagedPolicyArns" not in role


@shaped
def test_only_the_rule_and_the_alarm_write_to_the_topic(shape):
    [policy] = template.of_type(shape, "AWS::SNS::TopicPolicy").values()
    allowances = {
        (s["Principal"]["Service"], s["Action"], s["Condition"]["ArnEquals"]["aws:SourceArn"])
        for s in policy["PolicyDocument"]["Statement"]
    }
    assert allowances == {
        ("events.amazonaws.com", "sns:Publish", "${NightFailed.Arn}"),
        ("cloudwatch.amazonaws.com", "sns:Publish", "${NightMissing.Arn}"),
    }


# --- What is closed ----------------------------------------------------------------------------------------


@shaped
def test_buckets_are_encrypted_versioned_kept_and_closed(shape):
    buckets = template.of_type(shape, "AWS::S3::Bucket")
    assert buckets.keys() == {"SiteBucket", "StateBucket"}
    for name, bucket in buckets.items():
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        old, cut_off = bucket["LifecycleConfiguration"]["Rules"]
        assert old["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
        assert "DaysAfterInitiation" in cut_off["AbortIncompleteMultipartUpload"]
        assert {old["Status"], cut_off["Status"]} == {"Enabled"}
        resource = template.resources(shape)[name]
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
        by_policy = (name, shape["Site"]) == ("SiteBucket", "public")
        assert bucket["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": not by_policy,
            "RestrictPublicBuckets": not by_policy,
        }


@shaped
def test_the_world_reads_objects_of_a_public_site_and_cloudfront_those_of_a_private_one(shape):
    policies = template.of_type(shape, "AWS::S3::BucketPolicy")
    allowing = [
        (policy["Bucket"], statement)
        for policy in policies.values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    [(bucket, statement)] = allowing
    assert (bucket, statement["Action"], statement["Resource"]) == (
        "${SiteBucket}",
        "s3:GetObject",
        f"{SITE}/*",
    )
    if shape["Site"] == "public":
        assert statement["Principal"] == "*"
    else:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}}


@shaped
def test_what_is_not_public_is_read_and_written_by_tls_only(shape):
    closed = {"${StateBucket}", *["${SiteBucket}"] * (shape["Site"] == "private")}
    refusing = {}
    for policy in template.of_type(shape, "AWS::S3::BucketPolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny":
                assert (statement["Principal"], statement["Action"]) == ("*", "s3:*")
                refusing[policy["Bucket"]] = statement["Resource"]
    assert refusing.keys() == closed
    for bucket, refused in refusing.items():
        assert refused == [f"{bucket[:-1]}.Arn}}", f"{bucket[:-1]}.Arn}}/*"]


@shaped
def test_nothing_comes_into_the_network(shape):
    groups = template.of_type(shape, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in groups["TaskGroup"]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in groups["TaskGroup"]["SecurityGroupEgress"]] == [
        (443, 443)
    ]
    types = {resource["Type"] for resource in template.resources(shape).values()}
    assert not types & {"AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::SecurityGroupIngress"}
    public = {
        a["SubnetId"] for a in template.of_type(shape, "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    assert public == {"${TaskSubnet}"}
    [endpoint] = template.of_type(shape, "AWS::EC2::VPCEndpoint").values()
    assert endpoint["ServiceName"].endswith(".s3")
    assert (endpoint["VpcEndpointType"], endpoint["RouteTableIds"]) == ("Gateway", ["${Routes}"])
    if shape["Database"] == "mysql":
        [rule] = groups["DatabaseGroup"]["SecurityGroupIngress"]
        assert (rule["FromPort"], rule["ToPort"]) == (3306, 3306)
        assert rule["SourceSecurityGroupId"] == "${TaskGroup.GroupId}"
        assert not [part for part in rule if part.startswith("Cidr")]


@shaped
def test_the_database_is_encrypted_and_closed_and_its_password_made_by_aws(shape):
    databases = template.of_type(shape, "AWS::RDS::DBInstance")
    if shape["Database"] == "none":
        assert not databases
        return
    [database] = databases.values()
    assert database["StorageEncrypted"] is True
    assert database["PubliclyAccessible"] is False
    assert database["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in database
    assert database["VPCSecurityGroups"] == ["${DatabaseGroup}"]
    [parameters] = template.of_type(shape, "AWS::RDS::DBParameterGroup").values()
    assert parameters["Parameters"] == {"require_secure_transport": "ON"}
    assert database["DBParameterGroupName"] == "${OnlyByTLS}"
    [subnets] = template.of_type(shape, "AWS::RDS::DBSubnetGroup").values()
    assert subnets["SubnetIds"] == ["${DatabaseSubnet1}", "${DatabaseSubnet2}"]
    assert template.resources(shape)["MySQL"]["DeletionPolicy"] == "Snapshot"


@shaped
def test_no_secret_stands_in_plain(shape):
    task = container(shape)
    environment = {variable["Name"] for variable in task["Environment"]}
    assert not environment & SECRET
    assert not [name for name in environment if re.search("SECRET|TOKEN|PASSWORD|KEY|WEBHOOK", name)]
    expected = {"SYNAPSE_AUTH_TOKEN": "${SynapseToken}"}
    if shape["Slack"] == "yes":
        expected["SLACK_WEBHOOK_URL"] = "${SlackWebhook}"
    if shape["Database"] == "mysql":
        expected["HDASH_DB_PASSWORD"] = "${MySQL.MasterUserSecret.SecretArn}:password::"
    assert {secret["Name"]: secret["ValueFrom"] for secret in task["Secrets"]} == expected
    for secret in template.of_type(shape, "AWS::SecretsManager::Secret").values():
        assert "SecretString" not in secret


def test_no_parameter_takes_a_secret():
    for name, parameter in template.whole()["Parameters"].items():
        assert parameter.get("NoEcho") or not re.search("(?i)password|token|secret|key|webhook", name), name
    assert "{{resolve:" not in PLACE.read_text()


# --- The task ----------------------------------------------------------------------------------------------


def container(shape):
    [task] = template.of_type(shape, "AWS::ECS::TaskDefinition").values()
    [container] = task["ContainerDefinitions"]
    return container


@shaped
def test_the_program_is_told_where_everything_is(shape):
    values = {variable["Name"]: variable["Value"] for variable in container(shape)["Environment"]}
    expected = {"S3_BUCKET_NAME": "${SiteBucket}", "HDASH_STATE_URL": "s3://${StateBucket}/state"}
    if shape["Site"] == "public":
        expected["S3_WEB_SITE_URL"] = "${SiteBucket.WebsiteURL}"
    else:
        expected["S3_WEB_SITE_URL"] = "https://${Distribution.DomainName}"
        expected["CLOUDFRONT_DISTRIBUTION_ID"] = "${Distribution}"
    if shape["Database"] == "mysql":
        expected |= {
            "HDASH_DB_HOST": "${MySQL.Endpoint.Address}",
            "HDASH_DB_PORT_NUMBER": "${MySQL.Endpoint.Port}",
            "HDASH_DB_USER": "hdash",
            "HDASH_DB_NAME": "hdash",
            "HDASH_DB_TLS": "require",
        }
        [database] = template.of_type(shape, "AWS::RDS::DBInstance").values()
        assert (database["MasterUsername"], database["DBName"]) == ("hdash", "hdash")
    assert values == expected


@shaped
def test_the_task_writes_to_its_volumes_alone_and_they_are_those_of_the_image(shape):
    image = (ROOT / "Dockerfile").read_text()
    volumes = json.loads(re.search(r"^VOLUME (.*)", image, re.MULTILINE)[1])
    [task] = template.of_type(shape, "AWS::ECS::TaskDefinition").values()
    assert {mount["ContainerPath"] for mount in container(shape)["MountPoints"]} == set(volumes)
    assert {mount["SourceVolume"] for mount in container(shape)["MountPoints"]} == {
        volume["Name"] for volume in task["Volumes"]
    }
    assert not [mount for mount in container(shape)["MountPoints"] if mount.get("ReadOnly")]
    assert container(shape)["ReadonlyRootFilesystem"] is True
    assert container(shape)["User"] == re.search(r"^USER (.*)", image, re.MULTILINE)[1]
    assert not container(shape)["User"].startswith("0")
    assert container(shape)["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}


@shaped
def test_its_log_is_kept_for_a_while(shape):
    [(name, logs)] = template.of_type(shape, "AWS::Logs::LogGroup").items()
    assert logs["RetentionInDays"] == 90
    assert container(shape)["LogConfiguration"]["Options"]["awslogs-group"] == f"${{{name}}}"


@shaped
def test_images_are_scanned_and_old_ones_go(shape):
    [repository] = template.of_type(shape, "AWS::ECR::Repository").values()
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    rules = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [(r["selection"]["tagStatus"], r["selection"]["countNumber"]) for r in rules] == [
        ("untagged", 7),
        ("any", 5),
    ]


# --- Who is told -------------------------------------------------------------------------------------------


@shaped
def test_a_night_that_ends_badly_and_one_that_does_not_come_are_both_told(shape):
    [rule] = template.of_type(shape, "AWS::Events::Rule").values()
    detail = rule["EventPattern"]["detail"]
    assert rule["EventPattern"]["detail-type"] == ["ECS Task State Change"]
    assert (detail["clusterArn"], detail["lastStatus"]) == (["${Cluster.Arn}"], ["STOPPED"])
    assert detail["$or"] == [
        {"containers": {"exitCode": [{"anything-but": 0}]}},
        {"stopCode": [{"anything-but": "EssentialContainerExited"}]},
    ]
    [measure] = template.of_type(shape, "AWS::Logs::MetricFilter").values()
    assert measure["FilterPattern"] == '{ $.event = "done" && ($.exit_code = 0 || $.exit_code = 3) }'
    [alarm] = template.of_type(shape, "AWS::CloudWatch::Alarm").values()
    [transformation] = measure["MetricTransformations"]
    assert alarm["Namespace"] == transformation["MetricNamespace"]
    assert alarm["MetricName"] == transformation["MetricName"]
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 3600
    assert alarm["TreatMissingData"] == "breaching"
    [subscription] = template.of_type(shape, "AWS::SNS::Subscription").values()
    assert subscription["Protocol"] == "email"
    told = {subscription["TopicArn"], *alarm["AlarmActions"], *(target["Arn"] for target in rule["Targets"])}
    assert told == {"${Alarms}"}


# --- CloudFront --------------------------------------------------------------------------------------------

PRIVATE = {"Site": "private", "Database": "none", "Slack": "no"}


def test_cloudfront_reads_the_bucket_as_itself_and_speaks_https():
    [distribution] = template.of_type(PRIVATE, "AWS::CloudFront::Distribution").values()
    config = distribution["DistributionConfig"]
    [origin] = config["Origins"]
    assert origin["DomainName"] == "${SiteBucket.RegionalDomainName}"
    assert origin["OriginAccessControlId"] == "${OriginAccess.Id}"
    [access] = template.of_type(PRIVATE, "AWS::CloudFront::OriginAccessControl").values()
    signing = access["OriginAccessControlConfig"]
    assert (signing["SigningBehavior"], signing["SigningProtocol"]) == ("always", "sigv4")
    behavior = config["DefaultCacheBehavior"]
    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behavior["AllowedMethods"] == ["GET", "HEAD"]
    [association] = behavior["FunctionAssociations"]
    assert association == {"EventType": "viewer-request", "FunctionARN": "${Folders.FunctionARN}"}
    missing = {
        (e["ErrorCode"], e["ResponseCode"], e["ResponsePagePath"]) for e in config["CustomErrorResponses"]
    }
    assert missing == {(403, 404, "/404.html"), (404, 404, "/404.html")}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("/", "/index.html"),
        ("/hta1/", "/hta1/index.html"),
        ("/hta1/manifests/syn1/", "/hta1/manifests/syn1/index.html"),
        ("/hta1", "-> /hta1/"),
        ("/v1.2/about", "-> /v1.2/about/"),
        ("/assets/site.1a2b.css", "/assets/site.1a2b.css"),
        ("/404.html", "/404.html"),
        ("//evil.example/x", "-> /evil.example/x/"),
        ("/\\evil.example/x", "-> /evil.example/x/"),
    ],
)
def test_the_function_of_cloudfront_finds_the_page_of_a_folder(asked, answered):
    [function] = template.of_type(PRIVATE, "AWS::CloudFront::Function").values()
    event = json.dumps({"request": {"method": "GET", "uri": asked, "headers": {}, "querystring": {}}})
    show = f"const r = handler({event}); console.log(r.uri ?? '-> ' + r.headers.location.value)"
    node = Path(playwright.__file__).parent / "driver" / "node"
    code = f"{function['FunctionCode']}\n{show}"
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == answered


# --- What docs/aws.md says ---------------------------------------------------------------------------------

DOCS = (ROOT / "docs" / "aws.md").read_text()


def test_the_docs_name_each_parameter_with_its_default():
    told = dict(re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)? *\|", DOCS, re.MULTILINE))
    parameters = template.whole()["Parameters"]
    assert told == {name: str(parameter.get("Default", "")) for name, parameter in parameters.items()}


def test_the_docs_add_up_their_costs():
    _, _, costs = DOCS.partition("| what | how much |")
    rows, _, _ = costs.partition("| **together** |")
    prices = [float(price) for price in re.findall(r"\| ([0-9.]+) \|$", rows, re.MULTILINE)]
    [total] = re.findall(r"\| \*\*([0-9.]+)\*\* \|$", costs, re.MULTILINE)
    assert len(prices) == 10
    assert f"{sum(prices):.2f}" == total
