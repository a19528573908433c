# shellcheck shell=bash
# Sourced by a job before a command that calls a cloud: the job's own token (OpenID Connect), where the clouds' clients look for it, so that no
# key of a cloud is stored anywhere. It signs in where there is AWS_ROLE_ARN, AZURE_TENANT_ID or GCP_WORKLOAD_IDENTITY_PROVIDER, and only there.
# A token is good for some minutes: source it anew in each step.

# Only its owner reads it.
uss_tokens=$(mktemp -d -p "${RUNNER_TEMP:-${AGENT_TEMPDIRECTORY:-$PWD}}" .tokens.XXXXXX)

# The file for a token, its audience, and the variable that GitLab puts it into.
uss_token() {
    if [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; then
        # The header is no argument, which all processes could read.
        curl --fail --silent --show-error --get --data-urlencode "audience=$2" --header @- "$ACTIONS_ID_TOKEN_REQUEST_URL" \
            <<<"Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" |
            python -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")' >"$1"
    elif [ -n "${USS_ID_TOKEN_FILE:-}" ]; then
        # Azure Pipelines: the service connection's, whose audience is fixed.
        cp "$USS_ID_TOKEN_FILE" "$1"
    else
        printf '%s' "${!3}" >"$1"
    fi
}

if [ -n "${AWS_ROLE_ARN:-}" ]; then
    export AWS_WEB_IDENTITY_TOKEN_FILE=$uss_tokens/aws
    uss_token "$AWS_WEB_IDENTITY_TOKEN_FILE" sts.amazonaws.com AWS_ID_TOKEN
fi

if [ -n "${AZURE_TENANT_ID:-}" ]; then
    # The first two are the Pulumi provider's, the others those of Microsoft's clients, as for a state in a storage account.
    export ARM_USE_OIDC=true ARM_OIDC_TOKEN_FILE_PATH=$uss_tokens/azure AZURE_FEDERATED_TOKEN_FILE=$uss_tokens/azure
    export ARM_CLIENT_ID=${AZURE_CLIENT_ID:-}
    uss_token "$AZURE_FEDERATED_TOKEN_FILE" api://AzureADTokenExchange AZURE_ID_TOKEN
fi

if [ -n "${GCP_WORKLOAD_IDENTITY_PROVIDER:-}" ]; then
    export GOOGLE_APPLICATION_CREDENTIALS=$uss_tokens/gcp.json
    uss_token "$uss_tokens/gcp" "https://iam.googleapis.com/$GCP_WORKLOAD_IDENTITY_PROVIDER" GCP_ID_TOKEN
    cat >"$GOOGLE_APPLICATION_CREDENTIALS" <<END
{
  "type": "external_account",
  "audience": "//iam.googleapis.com/$GCP_WORKLOAD_IDENTITY_PROVIDER",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "https://sts.googleapis.com/v1/token",
  "credential_source": {"file": "$uss_tokens/gcp"}
}
END
fi
