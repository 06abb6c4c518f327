/* Passwords and tokens: hashing, checking, making. libsodium does the work. */
#ifndef SKYLARK_COMMON_SECRET_H
#define SKYLARK_COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define SECRET_HASH_SIZE 32           /* bytes of a token's hash */
#define SECRET_TOKEN_SIZE 48          /* a token as text, with its NUL */
#define SECRET_TOKEN_PREFIX_SIZE 9    /* what a person tells tokens apart by, with its NUL */
#define SECRET_PASSWORD_HASH_SIZE 128 /* a password's hash as text, with its NUL */

/* Call once a process, before anything else here. Returns 0, or -1. */
int secret_init(void) __attribute__((warn_unused_result));

/* Argon2id with a fresh salt, into out (SECRET_PASSWORD_HASH_SIZE bytes). Takes about 0.1 s and 64 MiB. Returns 0, or
 * -1 when there is not enough memory. */
int secret_hash_password(const char *password, char *out) __attribute__((warn_unused_result));

/* Whether the password is the one hashed. hash NULL (no such user): SECRET_WRONG, after the same work, from the first time on. Takes
 * as long and as much memory as secret_hash_password. */
enum secret_verdict { SECRET_RIGHT, SECRET_WRONG, SECRET_NO_MEMORY };
enum secret_verdict secret_verify_password(const char *hash, const char *password) __attribute__((warn_unused_result));

/* Whether the hash was made by the parameters that secret_hash_password uses; NULL: the one that is verified for unknown users. */
bool secret_hash_current(const char *hash);

/* A new token of 256 random bits as text (SECRET_TOKEN_SIZE bytes) and its first characters after the common beginning
 * (SECRET_TOKEN_PREFIX_SIZE bytes). */
void secret_make_token(char *token, char *prefix);

/* What is stored of a token: its SHA-256. */
void secret_hash_token(const char *token, size_t len, unsigned char hash[SECRET_HASH_SIZE]);

/* Overwrites memory in a way that no compiler leaves out. */
void secret_wipe(void *data, size_t len);

#endif
