/* Passwords and tokens: hashing, checking, making. */
#include "common/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* What is verified in the place of an unknown user's hash, so that both take the same time: of 32 random bytes that nobody kept, by
 * the parameters of secret_hash_password (a test compares them). Made at run time, the first unknown name would take twice as long. */
static const char dummy_hash[] =
    "$argon2id$v=19$m=65536,t=2,p=1$63A514IE8nTUPfTd5dom3g$kQGc6KEvfrR2FNO+fPHwKsfPle4PHP+tJAoufUpN4xo";

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

enum secret_verdict secret_verify_password(const char *hash, const char *password)
{
    /* libsodium says EINVAL of a password that is not the one, and only of that. */
    errno = 0;
    if (crypto_pwhash_str_verify(hash != NULL ? hash : dummy_hash, password, strlen(password)) == 0)
        return hash != NULL ? SECRET_RIGHT : SECRET_WRONG;
    return errno == EINVAL ? SECRET_WRONG : SECRET_NO_MEMORY;
}

bool secret_hash_current(const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash != NULL ? hash : dummy_hash, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                          crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
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
