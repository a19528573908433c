"""How the clouds' providers word that something is not there, may not be asked for, or that nobody looked.

The texts are those of the real providers (GCP's and Azure's after recordings) and of the SDKs below them; each is told
by the engine and Pulumi's SDK around it.
"""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uss.resources import aws, azure, gcp
from uss.resources.looking import Meaning, meaning

NOT_THERE, NO_RIGHTS, BAD_IDENTITY, NO_ANSWER = (
    Meaning.NOT_THERE,
    Meaning.NO_RIGHTS,
    Meaning.BAD_IDENTITY,
    Meaning.NO_ANSWER,
)
CLOUDS = {
    "aws": (aws, "aws:secretsmanager/getSecret:getSecret"),
    "azure": (azure, "azure-native:keyvault:getSecret"),
    "gcp": (gcp, "gcp:secretmanager/getSecretVersion:getSecretVersion"),
}
# Every text has room for a name of a secret, and the sentence that the real one begins with.
AWS_SECRET = "reading Secrets Manager Secret (<name>): "
AWS_CALL = "operation error Secrets Manager: DescribeSecret, "
AWS_ANSWER = AWS_CALL + "https response error StatusCode: 400, RequestID: 9df0d1d1-22f3-4f1d-94a5-0a1a0b5e6c1b, "
STS = "operation error STS: AssumeRole, "
STS_ANSWER = STS + "https response error StatusCode: 403, RequestID: 9df0d1d1-22f3-4f1d-94a5-0a1a0b5e6c1b, "
AWS_IDENTITY = AWS_SECRET + AWS_CALL + "get identity: get credentials: "
USER = "User: arn:aws:sts::123456789012:assumed-role/keeper-uss/session is not authorized to perform: "

AZURE_SECRET = (
    "request failed /subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/<place>/providers/"
    "Microsoft.KeyVault/vaults/kv-test/secrets/<name>: "
)
IMDS = (
    "ManagedIdentityCredential authentication failed. the requested identity isn't assigned to this resource\n"
    "GET http://169.254.169.254/metadata/identity/oauth2/token\n" + "-" * 80 + "\n"
)

GCP_VERSIONS = "1 error occurred:\n\t* error retrieving available secret manager secret versions: "
GCP_SECRET = "1 error occurred:\n\t* Error when reading or editing SecretManagerSecret "
GCP_SECRET += '"projects/<place>/secrets/<name>": '
GCP_LIST = '1 error occurred:\n\t* Error when reading or editing SecretManagerSecrets "": '
GET = 'Get "https://secretmanager.googleapis.com/v1/projects/<place>/secrets/<name>?alt=json": '
GET_LIST = 'Get "https://secretmanager.googleapis.com/v1/projects/<place>/secrets?alt=json&filter=name%3A<name>": '
GENERATE = 'impersonate: unable to generate access token: Post "https://iamcredentials.googleapis.com/v1/projects/-/'
GENERATE += 'serviceAccounts/keeper-uss@<place>.iam.gserviceaccount.com:generateAccessToken": '
NO_TOKEN_RIGHT = (
    'impersonate: status code 403: {"error": {"code": 403, "message": "Permission '
    '\'iam.serviceAccounts.getAccessToken\' denied on resource (or it may not exist).", "status": '
    '"PERMISSION_DENIED", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": '
    '"IAM_PERMISSION_DENIED", "domain": "iam.googleapis.com", "metadata": {"permission": '
    '"iam.serviceAccounts.getAccessToken"}}]}}\n\n'
)
ASN1 = "asn1: structure error: tags don't match (16 vs {class:0 tag:13 length:45 isCompound:true})"
DISABLED = (
    "googleapi: Error 403: Secret Manager API has not been used in project 559793974830 before or it is disabled. "
    "Enable it by visiting https://console.developers.google.com/apis/api/secretmanager.googleapis.com/overview?"
    'project=559793974830 then retry.\nDetails:\n[\n  {\n    "domain": "googleapis.com",\n    "metadata": {\n      '
    '"service": "secretmanager.googleapis.com"\n    },\n    "reason": "SERVICE_DISABLED"\n  }\n]\n\n'
)
PROXY_PAGE = "<html><body><h1>Error 404: not found</h1> googleapi: Error 404: Secret [<name>] not found</body></html>"

TABLE: list[tuple[str, str, Meaning]] = [
    ("aws", AWS_SECRET + "couldn't find resource", NOT_THERE),
    (
        "aws",
        AWS_SECRET + AWS_ANSWER + "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        NOT_THERE,
    ),
    (
        "aws",
        AWS_SECRET + AWS_ANSWER + "api error ResourceNotFoundException: Secrets Manager can't find the specified "
        "secret value for staging label: AWSCURRENT",
        NOT_THERE,
    ),
    (
        "aws",
        AWS_SECRET + AWS_ANSWER + "InvalidRequestException: You can't perform this operation on the secret because it "
        "was marked for deletion.",
        NOT_THERE,
    ),
    *(
        ("aws", AWS_SECRET + AWS_ANSWER + "api error AccessDeniedException: " + text, NO_RIGHTS)
        for text in (
            USER + "secretsmanager:DescribeSecret on resource: <name> because no identity-based policy allows the "
            "secretsmanager:DescribeSecret action",
            USER + "secretsmanager:DescribeSecret on resource: <name> with an explicit deny in a service control "
            "policy",
            "Access to KMS is not allowed",  # the identity is the right one, and lacks a right to the key
        )
    ),
    *(
        ("aws", AWS_IDENTITY + text, BAD_IDENTITY)
        for text in (
            f"failed to refresh cached credentials, {STS_ANSWER}api error AccessDenied: {USER}sts:AssumeRole on "
            "resource: arn:aws:iam::123456789012:role/keeper-uss",
            f"failed to refresh cached credentials, {STS_ANSWER}api error AccessDenied: {USER}sts:AssumeRole on "
            "resource: arn:aws:iam::123456789012:role/<name> with an explicit deny in a service control policy",
            f"failed to refresh cached credentials, {STS_ANSWER}ExpiredTokenException: Token expired",
            "failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, "
            "http response error StatusCode: 404, request to EC2 IMDS failed",
        )
    ),
    ("aws", "unable to validate AWS credentials. Details: No valid credential sources found.", BAD_IDENTITY),
    ("aws", 'failed to get shared config profile: The AWS profile "x" was not found', BAD_IDENTITY),
    ("aws", "the SSO session <name> was not found, or it has expired", BAD_IDENTITY),
    (
        "aws",
        AWS_SECRET + AWS_ANSWER + "api error UnrecognizedClientException: The security token included in the request "
        "is invalid.",
        BAD_IDENTITY,
    ),
    (
        "aws",
        f"Cannot assume IAM Role. IAM Role (arn:aws:iam::123456789012:role/r) cannot be assumed.\n\nError: {STS_ANSWER}"
        f"api error AccessDenied: {USER}sts:AssumeRole",
        BAD_IDENTITY,
    ),
    *(
        ("aws", AWS_SECRET + text, NO_ANSWER)
        for text in (
            AWS_ANSWER + "api error ThrottlingException: Rate exceeded",
            AWS_CALL + "exceeded maximum number of attempts, 25, https response error StatusCode: 0, RequestID: , "
            'request send failed, Post "https://secretsmanager.us-east-1.amazonaws.com/": dial tcp: lookup '
            "secretsmanager.us-east-1.amazonaws.com: no such host",
            AWS_CALL + "https response error StatusCode: 403, RequestID: , api error Forbidden: Forbidden",
            AWS_CALL + f"get identity: get credentials: {STS}exceeded maximum number of attempts, 3, request send "
            'failed, Post "https://sts.amazonaws.com/": dial tcp: i/o timeout',
            AWS_CALL + "could not find endpoint of region",
        )
    ),
    *(
        (
            "azure",
            AZURE_SECRET + f'Status=404 Code="{code}" Message="The Resource \'<name>\' was not found."',
            found,
        )
        for code, found in (
            ("ResourceNotFound", NOT_THERE),
            ("SecretNotFound", NOT_THERE),
            ("VaultNotFound", NOT_THERE),
            ("ResourceGroupNotFound", NO_ANSWER),
            ("SubscriptionNotFound", NO_ANSWER),
        )
    ),
    (
        "azure",
        AZURE_SECRET + 'Status=403 Code="AuthorizationFailed" Message="The client does not have authorization to '
        "perform action 'Microsoft.KeyVault/vaults/secrets/read' over scope '/subscriptions/s'\"",
        NO_RIGHTS,
    ),
    *(
        ("azure", AZURE_SECRET + text, BAD_IDENTITY)
        for text in (
            IMDS + 'RESPONSE 404: 404 Not Found\n{"error": "not_found", "error_description": "<name>"}',
            IMDS + "RESPONSE 403: 403 Forbidden\n" + PROXY_PAGE,
            IMDS
            + 'RESPONSE 400: 400 Bad Request\n{"error":"invalid_request","error_description":"Identity not found"}',
            "ClientSecretCredential authentication failed. POST https://login.microsoftonline.com/t/oauth2/v2.0/token "
            'RESPONSE 401: 401 Unauthorized {"error_description":"AADSTS7000215: Invalid client secret provided."}',
            'Status=401 Code="InvalidAuthenticationTokenTenant" Message="The access token is from the wrong issuer"',
        )
    ),
    *(
        ("azure", AZURE_SECRET + text, NO_ANSWER)
        for text in (
            'Status=429 Code="TooManyRequests" Message="slow down"',
            'Status=403 Code="RequestDisallowedByPolicy" Message="x"',
            "Status=404 Code=\"MissingSubscription\" Message='x'",
            "Status=403 " + PROXY_PAGE,
            'Get "https://management.azure.com/": dial tcp: lookup management.azure.com: no such host',
            "ManagedIdentityCredential authentication failed. dial tcp 169.254.169.254:80: i/o timeout",
        )
    ),
    (
        "gcp",
        GCP_VERSIONS + "googleapi: Error 404: Secret [projects/258132043295/secrets/<name>] not found or has no "
        "versions.\n\n",
        NOT_THERE,
    ),
    ("gcp", "1 error occurred:\n\t* projects/<place>/secrets/<name> not found\n\n", NOT_THERE),
    (
        "gcp",
        GCP_VERSIONS + "googleapi: Error 400: Secret Version [projects/1/secrets/<name>/versions/1] is in DISABLED "
        "state.\n\n",
        NOT_THERE,
    ),
    (
        "gcp",
        GCP_SECRET + "googleapi: Error 403: Permission 'secretmanager.secrets.get' denied for resource "
        "'projects/<place>/secrets/<name>' (or it may not exist).\nDetails:\n[\n  {}\n]\n\n",
        NO_RIGHTS,
    ),
    (
        "gcp",
        GCP_LIST + "googleapi: Error 403: Permission 'secretmanager.secrets.list' denied for resource "
        "'projects/<place>' (or it may not exist).\n\n",
        NO_RIGHTS,
    ),
    *(
        ("gcp", beginning + text, BAD_IDENTITY)
        for beginning in (GCP_LIST + GET_LIST, GCP_SECRET + GET, GCP_VERSIONS + GET)
        for text in (
            NO_TOKEN_RIGHT,
            'impersonate: status code 404: {"error": {"code": 404, "message": "Not found; Gaia id not found for email '
            'nobody@payments-prod.iam.gserviceaccount.com", "status": "NOT_FOUND"}}\n\n',
            f"private key should be a PEM or plain PKCS1 or PKCS8; parse error: {ASN1} pkcs1PrivateKey @2\n\n",
            GENERATE + f"failed to parse private key. Tried PKCS8, PKCS1, and EC formats. Errors: [PKCS8: {ASN1}]\n\n",
            GENERATE + 'auth: cannot fetch token: 400\nResponse: {"error": "invalid_grant", "error_description": '
            '"Invalid JWT Signature."}\n\n',
            'oauth2: cannot fetch token: 400 Bad Request\nResponse: {"error":"invalid_grant","error_description":'
            '"Invalid grant: account not found"}\n\n',
            'oauth2/google: status code 400: {"error":"invalid_grant","error_description":"x"}\n\n',
        )
    ),
    ("gcp", GCP_LIST + "googleapi: Error 401: Request had invalid authentication credentials.\n\n", BAD_IDENTITY),
    *(
        ("gcp", beginning + text, NO_ANSWER)
        for beginning in (GCP_LIST + GET_LIST, GCP_SECRET + GET, GCP_VERSIONS + GET)
        for text in (
            'oauth2: cannot fetch token: Post "https://oauth2.example.invalid/token": Forbidden\n\n',
            GENERATE + 'auth: cannot fetch token: Post "https://oauth2.example.invalid/token": Forbidden\n\n',
            GENERATE + "dial tcp: lookup iamcredentials.googleapis.com: no such host\n\n",
            "impersonate: status code 503: {}\n\n",
            "impersonate: status code 404: " + PROXY_PAGE,
            "dial tcp: lookup secretmanager.googleapis.com on 127.0.0.53:53: no such host\n\n",
            "tls: failed to verify certificate: x509: certificate signed by unknown authority\n\n",
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)\n\n",
            "Service Unavailable\n\n",
            "EOF\n\n",
        )
    ),
    *(
        ("gcp", GCP_LIST + text, NO_ANSWER)
        for text in (
            DISABLED,
            "googleapi: Error 403: Permission denied on resource project <place>.\n\n",
            "googleapi: Error 403: Request had insufficient authentication scopes.\n\n",
            "googleapi: got HTTP response code 404 with body: " + PROXY_PAGE,
            "googleapi: got HTTP response code 403 with body: <html>Permission 'secretmanager.secrets.list' denied ",
            "googleapi: Error 400: Invalid argument\n\n",
            "googleapi: Error 429: Quota exceeded for quota metric 'read requests'\n\n",
        )
    ),
]


def told(cloud: str, text: str, name: str = "payments-db", place: str = "payments-prod") -> Meaning:
    """What a text means as a look meets it: around it the engine's words and the SDK's, line ends folded."""
    module, function = CLOUDS[cloud]
    said = text.replace("<name>", name).replace("<place>", place)
    whole = f"invoke of {function} failed: invocation of {function} returned an error: invoking {function}: {said}"
    return meaning(" ".join(whole.split()), module.ABSENT, module.DENIED)


@pytest.mark.parametrize(("cloud", "text", "expected"), TABLE)
def test_what_an_error_means(cloud: str, text: str, expected: Meaning) -> None:
    assert told(cloud, text) is expected


WORDS = (
    "Error-404",
    "not-found",
    "NotFoundException",
    "AccessDenied",
    "AuthorizationFailed",
    "secretmanager.secrets.list",
    "ResourceNotFoundException",
    "AADSTS700016",
    "EOF",
    "Status=404",
)
NAMES = {
    "aws": string.ascii_letters + string.digits + "/_+=.@-",
    "azure": string.ascii_letters + string.digits + "-",
    "gcp": string.ascii_letters + string.digits + "_-",
}
"""What the clouds take in a name."""


@given(data=st.data())
def test_no_name_changes_what_an_error_means(data: st.DataObject) -> None:
    cloud, text, expected = data.draw(st.sampled_from(TABLE))
    letters = NAMES[cloud]
    allowed = [word for word in WORDS if set(word) <= set(letters)]
    name = "".join(data.draw(st.lists(st.sampled_from(allowed) | st.text(letters, max_size=5), min_size=1, max_size=4)))
    place = data.draw(st.sampled_from(allowed) | st.text(string.ascii_lowercase + "-", min_size=1))
    assert told(cloud, text, name or "a", place) is expected
