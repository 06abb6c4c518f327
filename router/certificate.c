/* Whether nginx could use a certificate. */
#include "router/certificate.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* There is nobody to ask for one. */
static int no_password(char *text, int size, int writing, void *context)
{
    (void)text, (void)size, (void)writing, (void)context;
    return -1;
}

int certificate_check(const char *chain, const char *key, struct buf *fault)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    ERR_clear_error();
    if (context != NULL)
        SSL_CTX_set_default_passwd_cb(context, no_password);
    bool good = context != NULL && SSL_CTX_use_certificate_chain_file(context, chain) == 1 &&
                SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(context) == 1;
    if (!good) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());
        buf_adds(fault, reason != NULL ? reason : "it can't be read");
    }
    ERR_clear_error();
    SSL_CTX_free(context);
    return good ? 0 : -1;
}
