"""Azure's pure parts: where secrets go and as whom, what the state holds, and the metadata service."""

from __future__ import annotations

import socket
from threading import Thread
from typing import Any

import pytest

from tests.builders import FOLDER, OWNERSHIP, SOURCE, record
from tests.leaks import leaks
from uss.clouds.azure import AZURE_NAMES, SECRET, VAULT, Azure, AzureTarget
from uss.config import Configuration
from uss.errors import ConfigurationError
from uss.keeper import Field, PamConfiguration, pam_configuration
from uss.records.naming import NameFault, cloud_name
from uss.resources import azure_metadata
from uss.state import StateResource

CLIENT = "33333333-3333-3333-3333-333333333333"
ENTRIES = {
    "clientId": CLIENT,
    "Client Secret": "canary",
    "Subscription Id": "sub",
    "tenantId": "ten",
    "Resource Groups": "rg-one",
}


def pam(**entries: str) -> PamConfiguration:
    """A PAM Configuration with these entries."""
    fields = [Field("secret", label, (text,)) for label, text in entries.items() if text]
    found = pam_configuration(
        record("PAM", "Azure", *(fields or [Field("text", "x", ("y",))]), kind="pamAzureConfiguration")
    )
    assert found is not None
    return found


def target(entries: dict[str, str], **keys: Any) -> AzureTarget:
    """The target of a configuration."""
    given = {"name": "az", "type": "azure", "folders": [FOLDER], "vault_name": "kv-prod"} | keys
    return Azure().target(Configuration.model_validate(given), pam(**entries), SOURCE)


def test_the_pam_configuration_gives_what_the_configuration_leaves_out() -> None:
    found = target(ENTRIES)
    assert (found.subscription, found.tenant, found.resource_group) == ("sub", "ten", "rg-one")
    assert (found.managed_identity, found.client_id, found.locations) == (None, CLIENT, ("azure:kv-prod",))
    assert leaks(repr(found), "canary") == {}
    own = target(ENTRIES, subscription_id="s2", tenant_id="t2", resource_group="rg-two", vault_name="KV-Prod")
    assert (own.subscription, own.tenant, own.resource_group) == ("s2", "t2", "rg-two")
    assert own.locations == ("azure:kv-prod",)
    assert target({**ENTRIES, "Client Secret": ""}, sync_identity=CLIENT).managed_identity == CLIENT


@pytest.mark.parametrize(
    ("without", "keys", "text"),
    [
        ("Client Secret", {}, "key `syncIdentity`: is missing"),
        ("Subscription Id", {}, "key `subscriptionId`: is missing"),
        ("tenantId", {}, "key `tenantId`: is missing"),
        ("Resource Groups", {}, "names 0 resource groups"),
        ("", {"vault_name": None}, "key `vaultName`: is missing"),
        ("", {"vault_name": "kv_prod"}, 'found "kv_prod"'),
        ("", {"vault_name": "x" * 25}, "3 to 24"),
        ("", {"sync_identity": "/subscriptions/s/resourceGroups/g/x"}, "client ID, a UUID"),
        ("", {"tags": {"source": "x"}}, "the sync itself sets"),
        ("", {"tags": {"a": "x" * 257}}, "is too long"),
    ],
)
def test_a_mistake_is_told_with_its_key(without: str, keys: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        target({label: "" if label == without else value for label, value in ENTRIES.items()}, **keys)
    assert text in str(caught.value)
    assert leaks(str(caught.value), "canary") == {}


def test_several_resource_groups_need_one_to_be_named() -> None:
    with pytest.raises(ConfigurationError, match="names 2 resource groups"):
        target(ENTRIES | {"Resource Groups": "rg-one\nrg-two"})


@pytest.mark.parametrize(
    ("title", "fits"),
    [("My Secret", True), ("a1-", False), ("1a", False), ("a_b", False), ("x" * 127, True), ("x" * 128, False)],
)
def test_names(title: str, fits: bool) -> None:
    assert isinstance(cloud_name(title, "", AZURE_NAMES), str if fits else NameFault)
    assert AZURE_NAMES.key("ABC") == AZURE_NAMES.key("abc")


def test_a_value_is_known_where_the_provider_keeps_its_inputs() -> None:
    def resource(logical: str, **outputs: object) -> StateResource:
        return StateResource(f"urn::{logical}", SECRET, logical, outputs)

    kept = {"properties": {"value": "canary", "contentType": "text/plain"}}
    first, second = Azure().held(
        [
            resource("az/R1", name="one", tags={"a": "b"}, __inputs=kept),
            resource("az/R2", name="two"),
            StateResource("urn::vault", VAULT, "az@kv-prod", {"name": "kv-prod"}),
        ]
    )
    assert (first.name, first.values, first.tags) == ("one", ("canary",), ({"a": "b"},))
    assert (second.name, second.values) == ("two", (None,))
    assert leaks(repr(first), "canary") == {}


def test_the_metadata_service_is_asked_with_a_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = Thread(target=serve)
        thread.start()
        assert azure_metadata.answers({"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{port}"})
        thread.join()
    assert not azure_metadata.answers({"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{port}"})
    assert azure_metadata.answers({"IDENTITY_ENDPOINT": "http://localhost"})


def test_a_token_takes_the_metadata_services_place_where_the_provider_is_told_so() -> None:
    told = {"ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN_FILE_PATH": "/token"}
    nowhere = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}
    assert azure_metadata.answers(told | nowhere)
    assert azure_metadata.token_file(told) == "/token"
    for environment in ({}, told | {"ARM_USE_OIDC": "false"}, told | {"ARM_USE_OIDC": ""}):
        assert not azure_metadata.answers(environment | nowhere)
        assert azure_metadata.token_file(environment) is None
    assert azure_metadata.token_file({"ARM_USE_OIDC": "true"}) is None


def test_tags_that_a_secret_had_are_checked_with_all_others() -> None:
    own = OWNERSHIP.tags("R1", "text/plain")
    nine = {f"t{number}": "" for number in range(9)}
    assert Azure().tag_fault(nine | own) is None
    fault = "10 tags; Key Vault takes 15, and the sync sets 6. Give 9 at most."
    assert Azure().tag_fault({"one": "more"} | nine | own) == fault
    assert Azure().reserves("managed-by")
    assert not Azure().reserves("team")
