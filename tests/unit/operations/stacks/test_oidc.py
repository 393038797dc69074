from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from Tea.core import TeaCore

from operations import cloud_api
from operations.errors import OperationError
from operations.stacks import environment

SESSION = {
    "AccessKeyId": "STS.key",
    "AccessKeySecret": "secret",
    "SecurityToken": "token",
    "Expiration": "2099-01-01T00:00:00Z",
}


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "token").write_text("jwt-of-the-job")
    return {
        cloud_api.OIDC_TOKEN_FILE: str(tmp_path / "token"),
        cloud_api.OIDC_PROVIDER: "acs:ram::1:oidc-provider/ci",
        cloud_api.OIDC_ROLE: "acs:ram::1:role/deploy",
    }


@pytest.fixture
def sts(monkeypatch):
    """STS, behind the SDK's transport; gives the requests it got and the answer to give."""
    asked = SimpleNamespace(requests=[], status=200, document={"Credentials": SESSION})

    def answer(request, runtime):
        asked.requests.append(request)
        body = json.dumps(asked.document).encode()
        return SimpleNamespace(status_code=asked.status, body=body)

    monkeypatch.setattr(TeaCore, "do_action", answer)
    return asked


def test_without_a_token_nothing_is_asked(sts):
    assert cloud_api.exchange_oidc_token({}) == {}
    assert sts.requests == []


def test_the_job_s_token_becomes_a_session_of_the_role(environ, sts):
    assert cloud_api.exchange_oidc_token(environ) == {
        "ALICLOUD_ACCESS_KEY": "STS.key",
        "ALICLOUD_SECRET_KEY": "secret",
        "ALICLOUD_SECURITY_TOKEN": "token",
    }
    (request,) = sts.requests
    assert (request.protocol, request.headers["host"]) == ("https", "sts.aliyuncs.com")
    asked = {
        key: request.query[key]
        for key in ("Action", "RoleArn", "OIDCProviderArn", "OIDCToken", "DurationSeconds")
    }
    assert asked == {
        "Action": "AssumeRoleWithOIDC",
        "RoleArn": "acs:ram::1:role/deploy",
        "OIDCProviderArn": "acs:ram::1:oidc-provider/ci",
        "OIDCToken": "jwt-of-the-job",
        "DurationSeconds": "7200",
    }


def test_a_stack_in_an_account_works_with_them(environ, sts, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    stack = environment.open_account_stack("dev", None)
    assert stack.variables["ALICLOUD_ACCESS_KEY"] == "STS.key"


def test_a_missing_variable_is_named(environ, sts):
    del environ[cloud_api.OIDC_ROLE]
    with pytest.raises(OperationError, match="ALIBABA_CLOUD_ROLE_ARN is not: set both"):
        cloud_api.exchange_oidc_token(environ)
    assert sts.requests == []


def test_a_refusal_is_told_without_the_token(environ, sts):
    sts.status, sts.document = 400, {"Code": "AuthenticationFail.NoPermission"}
    with pytest.raises(OperationError, match="NoPermission") as told:
        cloud_api.exchange_oidc_token(environ)
    assert "jwt-of-the-job" not in str(told.value)


def test_a_role_whose_sessions_are_too_short_is_told_how_to_be_mended(environ, sts):
    # STS's code and sentence for it.
    sts.status = 400
    sts.document = {
        "Code": "InvalidParameter.DurationSeconds",
        "Message": "The Min/Max value of DurationSeconds is 15min/1hr.",
    }
    command = "aliyun ram UpdateRole --RoleName deploy --NewMaxSessionDuration 7200"
    with pytest.raises(OperationError, match=command):
        cloud_api.exchange_oidc_token(environ)
