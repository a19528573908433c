"""Sixty records of every type, each with the value that a cloud shall hold, written out by hand from the rules."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.sync.harness import FOLDER, uid

PEM = "-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG9w0B\nAQEFAASCAUAwggE8AgEAAkEA\n-----END PRIVATE KEY-----\n"
SIXTY_KB = "é" * 30_700  # 61,400 bytes of UTF-8


class Case(NamedTuple):
    """A record's type, its fields, and the value expected in the cloud."""

    type: str
    fields: list[dict[str, Any]]
    expected: str
    custom: list[dict[str, Any]] = []  # noqa: RUF012 - never changed
    notes: str | None = None


def f(kind: str, *values: Any, label: str | None = None) -> dict[str, Any]:
    """A field in Keeper's shape."""
    field: dict[str, Any] = {"type": kind, "value": list(values)}
    return field | ({"label": label} if label is not None else {})


def plain(value: str) -> Case:
    """A record with the one key `value`, which is stored as it is."""
    return Case("login", [], value, custom=[f("secret", value, label="value")])


CASES: list[Case] = [
    # Standard record types.
    Case("login", [f("login", "a"), f("password", "b"), f("url", "https://c")], '{"login":"a","password":"b","url":"https://c"}'),
    Case("login", [f("login", "only")], '{"login":"only"}'),
    Case("login", [f("password", "pw"), f("oneTimeCode", "otpauth://totp/A:b?secret=JBSWY3DP&issuer=A")],
         '{"oneTimeCode":"otpauth://totp/A:b?secret=JBSWY3DP&issuer=A","password":"pw"}'),
    Case("login", [f("passkey", {"credentialId": "c1", "signCount": 0, "privateKey": {"kty": "EC"}})],
         '{"passkey.credentialId":"c1","passkey.privateKey.kty":"EC","passkey.signCount":0}'),
    Case("serverCredentials", [f("host", {"hostName": "h", "port": "22"}), f("login", "root")],
         '{"host.hostName":"h","host.port":"22","login":"root"}'),
    Case("sshKeys", [f("login", "s"), f("keyPair", {"publicKey": "pub", "privateKey": PEM})],
         '{"keyPair.privateKey":"-----BEGIN PRIVATE KEY-----\\nMIIBVgIBADANBgkqhkiG9w0B\\nAQEFAASCAUAwggE8AgEAAkEA\\n'
         '-----END PRIVATE KEY-----\\n","keyPair.publicKey":"pub","login":"s"}'),
    Case("databaseCredentials", [f("text", "mysql", label="type"), f("host", {"hostName": "db", "port": "3306"}), f("password", "p")],
         '{"host.hostName":"db","host.port":"3306","password":"p","type":"mysql"}'),
    Case("encryptedNotes", [f("note", "line one\nline two\n"), f("date", 1700000000000)],
         '{"date":1700000000000,"note":"line one\\nline two\\n"}'),
    Case("softwareLicense", [f("licenseNumber", "ABC-123"), f("expirationDate", 1893456000000), f("date", 1600000000000)],
         '{"date":1600000000000,"expirationDate":1893456000000,"licenseNumber":"ABC-123"}'),
    Case("bankAccount", [f("bankAccount", {"accountType": "Checking", "routingNumber": "021000021", "accountNumber": "000123"})],
         '{"bankAccount.accountNumber":"000123","bankAccount.accountType":"Checking","bankAccount.routingNumber":"021000021"}'),
    Case("bankCard", [f("paymentCard", {"cardNumber": "4111111111111111", "cardExpirationDate": "01/2030", "cardSecurityCode": "007"}), f("pinCode", "0042")],
         '{"paymentCard.cardExpirationDate":"01/2030","paymentCard.cardNumber":"4111111111111111",'
         '"paymentCard.cardSecurityCode":"007","pinCode":"0042"}'),
    Case("contact", [f("name", {"first": "Ada", "middle": "", "last": "Lovelace"}), f("email", "ada@example.com"),
                     f("phone", {"region": "GB", "number": "020 7946 0000", "type": "Work"})],
         '{"email":"ada@example.com","name.first":"Ada","name.last":"Lovelace","phone.number":"020 7946 0000",'
         '"phone.region":"GB","phone.type":"Work"}'),
    Case("address", [f("address", {"street1": "1 High St", "city": "Zürich", "zip": "08001", "country": "CH"})],
         '{"address.city":"Zürich","address.country":"CH","address.street1":"1 High St","address.zip":"08001"}'),
    Case("passport", [f("accountNumber", "P0001"), f("birthDate", -86400000), f("addressRef", "ADDRESSREF-00000000001")],
         '{"accountNumber":"P0001","addressRef":"ADDRESSREF-00000000001","birthDate":-86400000}'),
    Case("membership", [f("accountNumber", "007"), f("cardRef", "CARDREF-00000000000001")],
         '{"accountNumber":"007","cardRef":"CARDREF-00000000000001"}'),
    Case("wifiCredentials", [f("text", "ssid", label="SSID"), f("password", "wpa"), f("wifiEncryption", "wpa3"), f("isSSIDHidden", True)],
         '{"SSID":"ssid","isSSIDHidden":true,"password":"wpa","wifiEncryption":"wpa3"}'),
    # PAM record types.
    Case("pamUser", [f("login", "svc"), f("password", "p"), f("secret", PEM, label="privatePEMKey"), f("checkbox", False, label="managed")],
         '{"login":"svc","managed":false,"password":"p","privatePEMKey":"-----BEGIN PRIVATE KEY-----\\nMIIBVgIBADANBgkqhkiG9w0B\\n'
         'AQEFAASCAUAwggE8AgEAAkEA\\n-----END PRIVATE KEY-----\\n"}'),
    Case("pamMachine", [f("pamHostname", {"hostName": "10.0.0.5", "port": "22"}), f("text", "linux", label="Operating System")],
         '{"Operating System":"linux","pamHostname.hostName":"10.0.0.5","pamHostname.port":"22"}'),
    Case("pamDatabase", [f("databaseType", "postgresql"), f("checkbox", True, label="useSSL"), f("trafficEncryptionSeed", "c2VlZA==")],
         '{"databaseType":"postgresql","trafficEncryptionSeed":"c2VlZA==","useSSL":true}'),
    Case("pamDirectory", [f("directoryType", "Active Directory"), f("multiline", "10.0.0.1\n10.0.0.2", label="Alternative IPs")],
         '{"Alternative IPs":"10.0.0.1\\n10.0.0.2","directoryType":"Active Directory"}'),
    Case("pamRemoteBrowser", [f("rbiUrl", "https://intra"), f("pamRemoteBrowserSettings", {"connection": {"protocol": "http"}})],
         '{"pamRemoteBrowserSettings.connection.protocol":"http","rbiUrl":"https://intra"}'),
    Case("pamUser", [f("script", {"command": "rotate.sh", "recordRef": ["REF-000000000000000001", "REF-000000000000000002"]}), f("login", "x")],
         '{"login":"x","script.command":"rotate.sh","script.recordRef":"REF-000000000000000001","script.recordRef.2":"REF-000000000000000002"}'),
    Case("login", [f("schedule", {"type": "CRON", "cron": "0 0 * * *", "tz": "UTC"})],
         '{"schedule.cron":"0 0 * * *","schedule.type":"CRON","schedule.tz":"UTC"}'),
    Case("login", [f("recordRef", "REF-000000000000000001"), f("login", "x")], '{"login":"x","recordRef":"REF-000000000000000001"}'),
    Case("login", [f("fileRef", "FILEREF-00000000000001"), f("login", "x")], '{"login":"x"}'),
    Case("login", [f("pamSettings", {"portForward": {"reusePort": True, "port": "2222"}})],
         '{"pamSettings.portForward.port":"2222","pamSettings.portForward.reusePort":true}'),
    Case("login", [f("pamResources", {"controllerUid": "C", "resourceRef": ["R1", "R2"]})],
         '{"pamResources.controllerUid":"C","pamResources.resourceRef":"R1","pamResources.resourceRef.2":"R2"}'),
    Case("login", [f("dropdown", "choice", label="Tier"), f("appFiller", {"sequence": "{LOGIN}"})],
         '{"Tier":"choice","appFiller.sequence":"{LOGIN}"}'),
    Case("login", [f("securityQuestion", {"question": "Pet?", "answer": "Rex"}, {"question": "City?", "answer": "Köln"})],
         '{"securityQuestion.2.answer":"Köln","securityQuestion.2.question":"City?","securityQuestion.answer":"Rex","securityQuestion.question":"Pet?"}'),
    Case("login", [f("json", {"type": "service_account", "keys": [{"id": 1}, {"id": 2}]}, label="sa")],
         '{"sa.keys.2.id":2,"sa.keys.id":1,"sa.type":"service_account"}'),
    Case("login", [f("json", '{"kept": "as text",  "spaces": 1}', label="sa")], '{"sa":"{\\"kept\\": \\"as text\\",  \\"spaces\\": 1}"}'),
    # Labels, several values, what is empty, notes.
    Case("login", [f("text", "v", label="DB Host")], '{"DB Host":"v"}'),
    Case("login", [f("text", "v", label="")], '{"text":"v"}'),
    Case("login", [f("text", "1"), f("text", "2"), f("text", "3")], '{"text":"1","text.2":"2","text.3":"3"}'),
    Case("login", [f("url", "https://a", "https://b")], '{"url":"https://a","url.2":"https://b"}'),
    Case("login", [f("url", "", "https://b")], '{"url":"https://b"}'),
    Case("login", [f("phone", {"region": "DE", "number": "1"}, {"number": "2"})], '{"phone.2.number":"2","phone.number":"1","phone.region":"DE"}'),
    Case("login", [f("login", "std")], '{"login":"std","login.2":"custom"}', custom=[f("login", "custom")]),
    Case("login", [f("login"), f("password", ""), f("url", "u")], '{"url":"u"}'),
    Case("login", [f("login", "x")], '{"login":"x","notes":"some\\nnotes"}', notes="some\nnotes"),
    Case("login", [f("login", "x")], '{"login":"x"}', notes=""),
    Case("login", [], '{"Größe":"süß","ключ":"значение","鍵":"値"}', custom=[f("text", "süß", label="Größe"), f("text", "значение", label="ключ"), f("text", "値", label="鍵")]),
    Case("login", [f("password", 'quote " backslash \\ slash /')], '{"password":"quote \\" backslash \\\\ slash /"}'),
    Case("login", [f("password", "tab\tand\r\nreturn")], '{"password":"tab\\tand\\r\\nreturn"}'),
    Case("login", [f("text", "1", label="B"), f("text", "2", label="a"), f("text", "3", label="A")], '{"A":"3","B":"1","a":"2"}'),
    Case("login", [f("secret", "v", label="value"), f("login", "l")], '{"login":"l","value":"v"}'),
    Case("login", [f("secret", "v", label="Value")], '{"Value":"v"}'),
    # The one key `value`: the plain text, to the byte.
    plain("my-api-key"),
    plain("0042"),
    plain("  leading and trailing spaces  "),
    plain("trailing newline\n"),
    plain("\n\n"),
    plain(" "),
    plain(PEM),
    plain("日本語 🔐 ñ"),
    plain('{"already":"json"}'),
    plain("true"),
    plain("1e5"),
    plain(SIXTY_KB),
    Case("login", [f("password", SIXTY_KB)], '{"password":"' + SIXTY_KB + '"}'),
]  # fmt: skip


def title(number: int) -> str:
    """The record's title: cloud names follow from it."""
    return f"Record {number} of type {CASES[number].type}"


def records() -> list[dict[str, Any]]:
    """The vault's records."""
    return [
        {
            "uid": uid(number),
            "folder": FOLDER,
            "type": case.type,
            "title": title(number),
            "fields": case.fields,
            "custom": case.custom,
            **({"notes": case.notes} if case.notes is not None else {}),
        }
        for number, case in enumerate(CASES)
    ]


def expected() -> dict[str, str]:
    """The values by cloud name without the prefix."""
    return {title(number).replace(" ", "-"): case.expected for number, case in enumerate(CASES)}
