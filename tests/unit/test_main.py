"""The whole program, run as `pulumi up` and `pulumi preview` do, against a mock of the engine."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pulumi
import pytest
import yaml
from pulumi.output import Unknown

from components.base_name import AUTHORITY
from components.pki.clock import CLOCK_OFFSET
from components.private_ca import SHOWN
from configuration.outputs import SECRET_OUTPUTS, ListenerSettings, StackOutputs
from configuration.settings import Settings, parse
from tests.unit.components.mock_cloud import ADDRESS, ISSUED, PROJECT, STACK, deploy

ROOT = Path(__file__).parents[2]
NAME = f"{PROJECT}-{STACK}"
CLIENTS = {"browser": {}, "partner": {"pass_phrase": "correct horse"}}
OUTPUTS = {
    "name",
    "url",
    "address",
    "region",
    "load_balancer_id",
    "listener_port",
    "listeners",
    "redirect_port",
    "backends",
    "domain_certificates",
    "ca_certificate",
    "server_certificate",
    "server_certificate_issuer",
    "server_names",
    "clients",
    "issued",
    "certificate_record",
    "renewal",
    "certificate_revocation_list",
    "client_bundles",
    "expired_probe",
}


def run(values=None, *, region="cn-hangzhou", secret_keys=("clients",), **options):
    configuration = {f"{PROJECT}:{key}": json.dumps(value) for key, value in (values or {}).items()}
    if region is not None:
        configuration["alicloud:region"] = region
    return deploy(
        lambda: runpy.run_path(str(ROOT / "__main__.py")),
        configuration=configuration,
        secret_keys=tuple(f"{PROJECT}:{key}" for key in secret_keys),
        **options,
    )


def mistake(*arguments, **options) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        run(*arguments, **options)
    return str(caught.value)


def test_nothing_is_made_for_another_time_than_now(monkeypatch):
    monkeypatch.setenv(CLOCK_OFFSET, "60d")
    told = mistake()
    assert "SLB_MUTUAL_TLS_CLOCK_OFFSET=60d is set" in told
    assert "it is for previews alone" in told
    assert run(preview=True).outputs.keys() >= {"url"}


def test_a_time_that_is_none_is_refused_in_a_preview_too(monkeypatch):
    monkeypatch.setenv(CLOCK_OFFSET, "tomorrow")
    assert "CLOCK_OFFSET in the environment: 'tomorrow' is no length" in mistake(preview=True)


@pytest.fixture(scope="module")
def deployment():
    return run({"clients": CLIENTS, "tags": {"team": "edge"}})


def test_all_outputs_that_operations_read_are_there(deployment):
    assert set(deployment.outputs) == OUTPUTS
    assert StackOutputs.model_fields.keys() - {"next_ca_certificate"} == OUTPUTS


def test_the_outputs_say_what_was_made(deployment):
    issued, register = ISSUED["CertificateAuthority"], ISSUED["CertificateRegister"]
    (entry,) = json.loads(register["issued"])
    outputs = dict(deployment.outputs)
    assert set(json.loads(outputs.pop("client_bundles"))) == {"browser"}
    assert outputs == {
        "name": NAME,
        "url": f"https://{ADDRESS}/",
        "address": ADDRESS,
        "region": "cn-hangzhou",
        "load_balancer_id": f"ApplicationLoadBalancer {NAME}",
        "listener_port": 443,
        "listeners": [
            {
                "name": "listener",
                "port": 443,
                "server_group_id": "",
                "scheduler": "rr",
                "sticky_session": "",
                "cookie": "",
                "acl": "",
                "health_check": True,
            }
        ],
        "redirect_port": 0,
        "backends": [
            {"server_id": f"Instance {NAME}-{index}", "weight": 100} for index in range(2)
        ],
        "domain_certificates": {},
        "ca_certificate": issued["certificate"],
        "server_certificate": ISSUED["ServerCertificate"]["certificate"],
        "server_certificate_issuer": "private",
        "server_names": [ADDRESS],
        "clients": {"browser": {name: entry[name] for name in SHOWN}},
        "issued": [entry],
        "certificate_record": json.loads(ISSUED["CertificateRecord"]["entries"]),
        "renewal": {
            "certificate_authority": "730d",
            "server": "30d",
            "revocation_list": "10d",
            "clients": {"browser": "30d", "partner": "30d"},
            "domain_extensions": {},
        },
        "certificate_revocation_list": ISSUED["RevocationList"]["revocation_list"],
        "expired_probe": issued["expired_probe"],
    }


OLD_NAME = "slb-mutual-tls-before"
CA = f"urn:pulumi:{STACK}::{PROJECT}::slb-mutual-tls:index:{AUTHORITY}::{OLD_NAME}"
OTHER = f"urn:pulumi:{STACK}::{PROJECT}::pulumi:providers:alicloud::default_3_105_0"


@pytest.mark.parametrize(
    "state", [{"outputs": {"name": OLD_NAME}}, {"urns": (OTHER, CA)}], ids=["output", "resources"]
)
def test_a_stack_that_was_renamed_keeps_its_resources_names(state):
    found = run(**state)
    assert found.outputs["name"] == OLD_NAME
    names = {one.name for one in found.registrations}
    assert all(name.startswith(OLD_NAME) for name in names), names
    balancer = found.one("slb/applicationLoadBalancer:ApplicationLoadBalancer")
    assert balancer.inputs["loadBalancerName"] == OLD_NAME
    assert balancer.inputs["tags"]["stack"] == STACK


@pytest.mark.parametrize("state", [{"urns": (OTHER,)}, {"outputs": {"url": "https://…/"}}])
def test_a_stack_without_a_ca_is_named_by_itself(state):
    assert run(**state).outputs["name"] == NAME


def test_what_holds_keys_is_secret_and_nothing_else_is(deployment):
    assert deployment.secret_outputs == {"client_bundles", "expired_probe"} == set(SECRET_OUTPUTS)


def test_every_resource_that_takes_tags_has_them(deployment):
    tags = {"project": PROJECT, "stack": STACK, "team": "edge"}
    taking = [one for one in deployment.registrations if one.takes_tags]
    assert len(taking) >= 9
    assert {one.urn: one.inputs.get("tags") for one in taking} == dict.fromkeys(
        (one.urn for one in taking), tags
    )


def test_every_resource_belongs_to_a_component_of_this_project(deployment):
    root = f"urn:pulumi:{STACK}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-{STACK}"
    components = {one.urn for one in deployment.registrations if not one.request.custom}
    for one in deployment.registrations:
        if one.request.custom:
            assert one.parent in components, one.urn
    at_the_top = [one.kind for one in deployment.registrations if one.parent == root]
    assert sorted(at_the_top) == [
        "index:BackendServers",
        "index:MutualTlsLoadBalancer",
        "index:PrivateCertificateAuthority",
    ]


def test_no_key_or_pass_phrase_is_an_input_in_the_clear(deployment):
    secrets = [
        ISSUED["CertificateAuthority"]["private_key"],
        "correct horse",
    ]
    for one in deployment.registrations:
        for name, value in one.inputs.items():
            if any(secret in repr(value) for secret in secrets):
                assert name in one.secret_inputs, f"{one.urn} {name}"


def test_the_new_backends_are_behind_the_load_balancer(deployment):
    attached = deployment.one("slb/backendServer:BackendServer").inputs["backendServers"]
    assert [one["serverId"] for one in attached] == [f"Instance {NAME}-0", f"Instance {NAME}-1"]
    listener = deployment.one("slb/listener:Listener").inputs
    assert listener["backendPort"] == listener["healthCheckConnectPort"] == 80


def test_an_intranet_load_balancer_joins_the_new_backends_network():
    found = run({"load_balancer": {"address_type": "intranet"}})
    asked = found.one("slb/applicationLoadBalancer:ApplicationLoadBalancer").inputs
    assert asked["vswitchId"] == f"Switch {NAME}-0"


EVERYTHING = {
    "backends": {"weights": [100, 0]},
    "listener": {
        "port": 8443,
        "redirect_port": 80,
        "scheduler": "wrr",
        "sticky_session": {"type": "server", "cookie": "JSESSIONID"},
        "acl": {"type": "white", "entries": {"203.0.113.0/24": "office"}},
        "health_check": {"enabled": False},
        "domain_extensions": {
            "api.example.com": {"renew_before": "10d"},
            "www.example.com": {"alicloud_certificate_id": "1-cn"},
        },
    },
    "additional_listeners": {
        "partners": {"port": 9443, "acl": None},
        "scaled": {"port": 9444, "server_group_id": "rsp-1"},
    },
}


def test_the_outputs_say_what_there_is_beside_a_plain_listener():
    outputs = run(EVERYTHING).outputs
    assert outputs["redirect_port"] == 80
    assert [one["weight"] for one in outputs["backends"]] == [100, 0]
    main = {
        "name": "listener",
        "port": 8443,
        "server_group_id": "",
        "scheduler": "wrr",
        "sticky_session": "server",
        "cookie": "JSESSIONID",
        "acl": "white",
        "health_check": False,
    }
    assert outputs["listeners"] == [
        main,
        {**main, "name": "additional_listeners.partners", "port": 9443, "acl": ""},
        {
            **main,
            "name": "additional_listeners.scaled",
            "port": 9444,
            "server_group_id": "rsp-1",
        },
    ]
    assert outputs["domain_certificates"] == {
        "api.example.com": {
            "certificate": ISSUED["ServerCertificate"]["certificate"],
            "issuer": "private",
        },
        "www.example.com": {"certificate": "", "issuer": "other"},
    }
    assert outputs["renewal"]["domain_extensions"] == {
        "api.example.com": "10d",
        "www.example.com": "30d",
    }


def test_operations_read_what_the_program_says_of_listeners():
    listeners = run(EVERYTHING).outputs["listeners"]
    for one in listeners:
        assert ListenerSettings.model_validate(one).model_dump() == one


def test_an_ipv6_address_stands_in_brackets():
    found = run(
        {"load_balancer": {"address_ip_version": "ipv6"}},
        address="2001:db8::1",
        slb_zones=(("cn-hangzhou-g", "cn-hangzhou-h"),),
    )
    assert found.outputs["url"] == "https://[2001:db8::1]/"
    assert found.outputs["server_names"] == ["2001:db8::1"]


def test_existing_backends_are_used():
    ids = ["i-a", "i-b"]
    found = run({"backends": {"instance_ids": ids, "port": 8080}}, instances=tuple(ids))
    attached = found.one("slb/backendServer:BackendServer").inputs["backendServers"]
    assert [one["serverId"] for one in attached] == ids
    assert found.one("slb/listener:Listener").inputs["backendPort"] == 8080
    assert not found.all("ecs/instance:Instance")


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({"listener": {"port": 8443}}, f"https://{ADDRESS}:8443/"),
        ({"published_port": 9443}, f"https://{ADDRESS}:9443/"),
        ({"listener": {"port": 8443}, "published_port": 443}, f"https://{ADDRESS}/"),
        # The private CA's certificate is for the address too, and no DNS record is needed.
        ({"server": {"domains": ["www.example.com"]}}, f"https://{ADDRESS}/"),
        (
            {"server": {"domains": ["www.example.com"], "alicloud_certificate_id": "1-cn"}},
            "https://www.example.com/",
        ),
        ({"server": {"alicloud_certificate_id": "1-cn"}}, f"https://{ADDRESS}/"),
    ],
)
def test_the_url_is_where_clients_reach_the_service(values, url):
    assert run(values).outputs["url"] == url


def test_a_preview_runs_to_its_end_with_what_it_cannot_know():
    found = run({"clients": CLIENTS}, preview=True)
    assert set(found.outputs) == OUTPUTS
    assert found.outputs["listener_port"] == 443
    for name in ("url", "address", "ca_certificate", "client_bundles", "expired_probe"):
        assert isinstance(found.outputs[name], Unknown), name
    assert len(found.registrations) == len(run({"clients": CLIENTS}).registrations)


def test_every_mistake_is_said_in_one_error():
    found = mistake(
        {
            "listner": {"port": 443},
            "listener": {"port": 0},
            "clients": {"ca": {}},
            "backends": {"count": "two"},
        }
    )
    assert sorted(found.split("\n")) == [
        "Pulumi.test.yaml: backends.count: a whole number belongs here",
        "Pulumi.test.yaml: clients.ca: its certificate would overwrite its bundle's own ca.crt: "
        "give the client another name",
        "Pulumi.test.yaml: listener.port: input should be greater than or equal to 1",
        "Pulumi.test.yaml: listner: there is no such key; did you mean listener?",
    ]


@pytest.mark.parametrize(
    ("region", "sentence"),
    [
        (None, "Pulumi.test.yaml: alicloud:region is not set; set it to one like cn-hangzhou"),
        (
            "cn-hangzou",
            "Pulumi.test.yaml: alicloud:region is 'cn-hangzou', which does not exist; did you mean "
            "cn-hangzhou?",
        ),
    ],
)
def test_a_wrong_region_is_one_error(region, sentence):
    assert mistake(region=region) == sentence


def test_a_secret_in_the_clear_is_one_error_and_not_repeated():
    assert mistake({"clients": CLIENTS}, secret_keys=()) == (
        "Pulumi.test.yaml: clients.partner.pass_phrase is a secret in the clear; give it by "
        "`pulumi config set --secret --path 'slb-mutual-tls:clients.partner.pass_phrase'`"
    )


def test_a_text_in_place_of_keys_is_one_error_and_not_repeated():
    with pytest.raises(pulumi.RunError) as caught:
        deploy(
            lambda: runpy.run_path(str(ROOT / "__main__.py")),
            configuration={"alicloud:region": "cn-hangzhou", f"{PROJECT}:server": "hunter2"},
            secret_keys=(f"{PROJECT}:server",),
        )
    assert str(caught.value) == (
        "Pulumi.test.yaml: server: keys belong below it, each on a line of its own and indented, "
        "and no single value or list: such as validity, renew_before, key_bits"
    )


def test_a_missing_backend_is_one_error():
    assert mistake({"backends": {"instance_ids": ["i-gone"]}}) == (
        "backends.instance_ids names i-gone, which the account does not have in this region: give "
        "ids of existing instances, or leave the key out for new ones."
    )


def test_the_project_declares_every_key_of_the_settings_and_no_other():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert declared.keys() == Settings.model_fields.keys()
    # A field that is a model is a reference in the schema, and an object in the project.
    modelled = Settings.model_json_schema()["properties"]
    assert {key: value["type"] for key, value in declared.items()} == {
        key: schema.get("type", "object") for key, schema in modelled.items()
    }
    defaults = {key: value["default"] for key, value in declared.items()}
    assert parse(defaults, file="Pulumi.yaml") == Settings()


@pytest.mark.parametrize("stack", ["local", "dev"])
def test_the_stacks_that_come_with_the_project_run(stack):
    given = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    prefix = f"{PROJECT}:"
    own = {k.removeprefix(prefix): v for k, v in given.items() if k.startswith(prefix)}
    found = run(own, region=given["alicloud:region"])
    requested = found.one("dynamic/pki:CertificateRegister").inputs["clients"]
    assert requested.keys() == own["clients"].keys()
