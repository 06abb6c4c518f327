/* Passwords and tokens: hashing, checking, making. */
#include "common/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* What is verified in the place of an unknown user's hash, so that both take the same time. */
static char dummy_hash[SECRET_PASSWORD_HASH_SIZE];

_Static_assert(SECRET_PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "libsodium's hashes fit");
_Static_assert(SECRET_HASH_SIZE == crypto_hash_sha256_BYTES, "a token's hash is a SHA-256");

int secret_init(void)
{
    return sodium_init() >= 0 ? 0 : -1;
}

int secret_hash_password(const char *password, char *out)
{
    return crypto_pwhash_str_alg(out, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                 crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
}

bool secret_verify_password(const char *hash, const char *password)
{
    if (hash == NULL && dummy_hash[0] == '\0' && secret_hash_password("", dummy_hash) != 0)
        return false;
    bool right = crypto_pwhash_str_verify(hash != NULL ? hash : dummy_hash, password, strlen(password)) == 0;
    return hash != NULL && right;
}

void secret_make_token(char *token, char *prefix)
{
    unsigned char random[32];
    char text[sodium_base64_ENCODED_LEN(sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    randombytes_buf(random, sizeof random);
    sodium_bin2base64(text, sizeof text, random, sizeof random, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(token, SECRET_TOKEN_SIZE, "sky_%s", text);
    snprintf(prefix, SECRET_TOKEN_PREFIX_SIZE, "%.8s", text);
    sodium_memzero(random, sizeof random);
    sodium_memzero(text, sizeof text);
}

void secret_hash_token(const char *token, size_t len, unsigned char hash[SECRET_HASH_SIZE])
{
    crypto_hash_sha256(hash, (const unsigned char *)token, len);
}

void secret_wipe(void *data, size_t len)
{
    sodium_memzero(data, len);
}
