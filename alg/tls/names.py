"""What IANA calls the numbers in TLS: versions, cipher suites, groups, alerts.

A number that is not in its table is shown as such: `0x1301` for what has two bytes, `99` for what has one.
"""

from __future__ import annotations

TLS_1_2 = 0x0303
TLS_1_3 = 0x0304

_VERSIONS = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}

_CIPHER_SUITES = {
    int(number, 16): f"TLS_{name}"
    for number, _, name in (
        row.partition(" ")
        for row in (
            # RFC 8446 B.4
            *("1301 AES_128_GCM_SHA256", "1302 AES_256_GCM_SHA384", "1303 CHACHA20_POLY1305_SHA256"),
            *("1304 AES_128_CCM_SHA256", "1305 AES_128_CCM_8_SHA256"),
            # RFC 5289, RFC 7905, RFC 7251, RFC 6655
            *("C02B ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "C02C ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
            *("C02F ECDHE_RSA_WITH_AES_128_GCM_SHA256", "C030 ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            *("CCA8 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "CCA9 ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
            *("CCAA DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "C0AC ECDHE_ECDSA_WITH_AES_128_CCM"),
            *("C0AD ECDHE_ECDSA_WITH_AES_256_CCM", "C0AE ECDHE_ECDSA_WITH_AES_128_CCM_8"),
            *("C0AF ECDHE_ECDSA_WITH_AES_256_CCM_8", "C09C RSA_WITH_AES_128_CCM", "C09D RSA_WITH_AES_256_CCM"),
            *("C09E DHE_RSA_WITH_AES_128_CCM", "C09F DHE_RSA_WITH_AES_256_CCM"),
            *("C023 ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "C024 ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
            *("C027 ECDHE_RSA_WITH_AES_128_CBC_SHA256", "C028 ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
            *("C025 ECDH_ECDSA_WITH_AES_128_CBC_SHA256", "C026 ECDH_ECDSA_WITH_AES_256_CBC_SHA384"),
            *("C029 ECDH_RSA_WITH_AES_128_CBC_SHA256", "C02A ECDH_RSA_WITH_AES_256_CBC_SHA384"),
            *("C02D ECDH_ECDSA_WITH_AES_128_GCM_SHA256", "C02E ECDH_ECDSA_WITH_AES_256_GCM_SHA384"),
            *("C031 ECDH_RSA_WITH_AES_128_GCM_SHA256", "C032 ECDH_RSA_WITH_AES_256_GCM_SHA384"),
            # RFC 5288, RFC 5246 A.5
            *("009C RSA_WITH_AES_128_GCM_SHA256", "009D RSA_WITH_AES_256_GCM_SHA384"),
            *("009E DHE_RSA_WITH_AES_128_GCM_SHA256", "009F DHE_RSA_WITH_AES_256_GCM_SHA384"),
            *("003C RSA_WITH_AES_128_CBC_SHA256", "003D RSA_WITH_AES_256_CBC_SHA256"),
            *("0067 DHE_RSA_WITH_AES_128_CBC_SHA256", "006B DHE_RSA_WITH_AES_256_CBC_SHA256"),
            *("002F RSA_WITH_AES_128_CBC_SHA", "0035 RSA_WITH_AES_256_CBC_SHA"),
            *("0033 DHE_RSA_WITH_AES_128_CBC_SHA", "0039 DHE_RSA_WITH_AES_256_CBC_SHA"),
            *("000A RSA_WITH_3DES_EDE_CBC_SHA", "0016 DHE_RSA_WITH_3DES_EDE_CBC_SHA", "0004 RSA_WITH_RC4_128_MD5"),
            *("0005 RSA_WITH_RC4_128_SHA", "0001 RSA_WITH_NULL_MD5", "0002 RSA_WITH_NULL_SHA"),
            "003B RSA_WITH_NULL_SHA256",
            # RFC 8422 6
            *("C009 ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "C00A ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
            *("C013 ECDHE_RSA_WITH_AES_128_CBC_SHA", "C014 ECDHE_RSA_WITH_AES_256_CBC_SHA"),
            *("C008 ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", "C012 ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
            # RFC 5932, RFC 6367
            *("0041 RSA_WITH_CAMELLIA_128_CBC_SHA", "0084 RSA_WITH_CAMELLIA_256_CBC_SHA"),
            *("0045 DHE_RSA_WITH_CAMELLIA_128_CBC_SHA", "0088 DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"),
        )
    )
}

_GROUPS = {
    **{23: "secp256r1", 24: "secp384r1", 25: "secp521r1", 29: "x25519", 30: "x448"},
    **{256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096", 259: "ffdhe6144", 260: "ffdhe8192"},
    **{0x11EB: "SecP256r1MLKEM768", 0x11EC: "X25519MLKEM768", 0x11ED: "SecP384r1MLKEM1024"},
}

_ALERT_LEVELS = {1: "warning", 2: "fatal"}

_ALERTS = {
    **{0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed"},
    **{22: "record_overflow", 30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate"},
    **{42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired"},
    **{46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied"},
    **{50: "decode_error", 51: "decrypt_error", 60: "export_restriction", 70: "protocol_version"},
    **{71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled"},
    **{100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension"},
    **{111: "certificate_unobtainable", 112: "unrecognized_name", 113: "bad_certificate_status_response"},
    **{114: "bad_certificate_hash_value", 115: "unknown_psk_identity", 116: "certificate_required"},
    **{120: "no_application_protocol", 121: "ech_required"},
}
"""RFC 8446 6, RFC 5246 7.2, and the extensions' own."""


def version_name(number: int) -> str:
    """Such as `TLS 1.2`."""
    return _VERSIONS.get(number) or f"0x{number:04x}"


def cipher_suite_name(number: int) -> str:
    """Such as `TLS_AES_128_GCM_SHA256`."""
    return _CIPHER_SUITES.get(number) or f"0x{number:04x}"


def group_name(number: int) -> str:
    """A group for a key exchange, such as `x25519`."""
    return _GROUPS.get(number) or f"0x{number:04x}"


def alert_level_name(number: int) -> str:
    """`warning` or `fatal`."""
    return _ALERT_LEVELS.get(number) or str(number)


def alert_name(number: int) -> str:
    """Such as `unknown_ca`."""
    return _ALERTS.get(number) or str(number)


def is_grease(number: int) -> bool:
    """Whether a number of two bytes is one that clients offer for nobody to understand (RFC 8701 2)."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF
