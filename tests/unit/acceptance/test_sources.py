"""The provider's tests are built without what reaches out, or not at all."""

from __future__ import annotations

import pytest

from acceptance import sources
from toolchain.errors import ToolchainError

PROVIDER = """package alicloud

func init() {
\ttestAccProvider = Provider()
\tsetStsCredential()
}

func testAccPreCheck(t *testing.T) {
\tsendMessage("here")
}

func sendMessage(msg string) {
\tresp, err := http.Post(webhookURL, "application/json", nil)
}

func setStsCredential() {
\tclient, err := oss.New("https://oss.example.com", "", "")
\tbody, err := bucket.GetObject("sts/credential.json")
\tos.Setenv("ALICLOUD_ACCESS_KEY", "")
}
"""

SWEEPER = """package alicloud

func init() {
\tresource.AddTestSweepers("alicloud_vpc", &resource.Sweeper{
\t\tName: "alicloud_vpc",
\t})
}

func TestAccAliCloudVPC_basic(t *testing.T) {
}

func TestUnitAliCloudVPC(t *testing.T) {
}
"""


def test_what_fetches_credentials_and_what_posts_do_nothing() -> None:
    text = sources.remove_reaching_out("provider_test.go", PROVIDER)
    for word in ("oss.New", "GetObject", "http.Post", "Setenv", "\tsetStsCredential()"):
        assert word not in text
    assert "testAccProvider = Provider()" in text
    assert "func sendMessage(msg string) {\n\n}\n" in text
    assert text.count("\n") == PROVIDER.count("\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\tsetStsCredential()\n", ""),
        ("\tsetStsCredential()\n", "\tsetCredential()\n"),
        ("\tsetStsCredential()\n", "\tsetStsCredential()\n\tsetStsCredential()\n"),
        ("func sendMessage(msg string)", "func sendMessage2(msg string)"),
        ("http.Post(webhookURL", "http.Post(url"),
        ('"sts/credential.json"', '"credential.json"'),
        ('\tsendMessage("here")', '\thttp.Get("https://example.com")'),
        ('\tsendMessage("here")', '\texec.Command("curl")'),
        ('\tsendMessage("here")', '\tnet.Dial("tcp", "example.com:80")'),
        ("func testAccPreCheck", "func init() {\n\tother()\n}\n\nfunc testAccPreCheck"),
    ],
)
def test_sources_that_are_not_those_known_are_not_built(old: str, new: str) -> None:
    assert old in PROVIDER
    with pytest.raises(ToolchainError, match="nothing was built"):
        sources.remove_reaching_out("provider_test.go", PROVIDER.replace(old, new))


def test_what_sweeps_an_account_is_left_out_and_other_effects_are_refused() -> None:
    text = sources.remove_reaching_out("resource_alicloud_vpc_test.go", SWEEPER)
    assert "AddTestSweepers" not in text
    assert text.count("\n") == SWEEPER.count("\n")
    with pytest.raises(ToolchainError, match="init"):
        sources.remove_reaching_out("a_test.go", SWEEPER.replace("resource.Add", "other.Add"))


def test_acceptance_tests_are_listed_and_unit_tests_are_not() -> None:
    names = sources.find_test_names(SWEEPER)
    assert names == ["TestAccAliCloudVPC_basic"]
    listed = sources.write_list_of_tests(names, ["DescribeVpc"])
    assert '{Name: "TestAccAliCloudVPC_basic", F: TestAccAliCloudVPC_basic},' in listed


def test_what_the_toolchain_s_provider_serves_is_served() -> None:
    main = (
        'var resources = map[string]string{\n\t"alicloud_vpc": "vpc/Network",\n}\n'
        'var dataSources = map[string]string{\n\t"alicloud_vpcs": "vpc/getNetworks",\n}\n'
    )
    text = sources.write_keys(sources.read_served(main))
    assert '"alicloud_vpc": true' in text
    assert '"alicloud_vpcs": true' in text
    with pytest.raises(ToolchainError, match="dataSources"):
        sources.read_served(main.replace("dataSources", "others"))
