/* What logins are limited by: prefixes of addresses, slots, and hashes that all take the same time. */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/secret.h"
#include "fcgi/address.h"
#include "fcgi/settings.h"
#include "fcgi/slots.h"
#include "tests/unit/suites.h"

static void test_prefixes(void)
{
    static const struct {
        const char *address, *prefix;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"}, {"::ffff:192.0.2.1", "192.0.2.1"}, {"::FFFF:c000:201", "192.0.2.1"}, {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8:1:2::1", "2001:db8:1:2::/64"}, {"2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"}, {"2001:db8::1", "2001:db8::/64"},
        {"2001:db8:0:0:1:0:0:0", "2001:db8::/64"}, {"2001:db8:0:1::", "2001:db8:0:1::/64"}, {"::1", "::/64"}, {"fe80::1%eth0", "fe80::1%eth0"},
        {"unix:", "unix:"}, {"", ""},
    };
    char prefix[ADDRESS_PREFIX_SIZE], other[2 * ADDRESS_PREFIX_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        address_prefix(rows[i].address, prefix);
        CU_ASSERT_STRING_EQUAL(prefix, rows[i].prefix);
    }
    memset(other, 'x', sizeof other);
    other[sizeof other - 1] = '\0';
    address_prefix(other, prefix);
    CU_ASSERT_EQUAL(strlen(prefix), ADDRESS_PREFIX_SIZE - 1);
}

/* A child that takes a slot, says which, and keeps it until it is killed. */
static pid_t holder(struct slots *slots, size_t limit, uint64_t key, size_t share, int *slot)
{
    int ends[2];
    *slot = -2;
    if (pipe(ends) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        int mine = slots_take(slots, limit, key, share);
        if (write(ends[1], &mine, sizeof mine) != sizeof mine)
            _exit(1);
        for (;;)
            pause();
    }
    if (pid < 0 || read(ends[0], slot, sizeof *slot) != sizeof *slot)
        *slot = -2;
    close(ends[0]);
    close(ends[1]);
    return pid;
}
static void end(pid_t pid)
{
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static void test_slots(void)
{
    int slots_of[3];
    pid_t pids[3];
    struct slots *s = slots_open("slots of a test");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    for (int i = 0; i < 3; i++)
        pids[i] = holder(s, 2, 0, 0, &slots_of[i]);
    CU_ASSERT(slots_of[0] == 0 && slots_of[1] == 1 && slots_of[2] == -1);
    CU_ASSERT_EQUAL(slots_take(s, 2, 0, 0), -1);
    /* Killed while it held one: free again, and no more than that one. */
    end(pids[0]);
    int mine = slots_take(s, 2, 0, 0);
    CU_ASSERT_EQUAL(mine, 0);
    CU_ASSERT_EQUAL(slots_take(s, 2, 0, 0), -1);
    slots_give(s, mine);
    CU_ASSERT_EQUAL(slots_take(s, 2, 0, 0), 0);
    /* A limit that was lowered meanwhile counts from the next one on, and a higher one at once. */
    CU_ASSERT_EQUAL(slots_take(s, 1, 0, 0), -1);
    CU_ASSERT_EQUAL(slots_take(s, 3, 0, 0), 2);
    end(pids[1]);
    end(pids[2]);
}

static void test_shares(void)
{
    int slots_of[4];
    pid_t pids[4];
    struct slots *s = slots_open("slots of a test");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    for (int i = 0; i < 3; i++)
        pids[i] = holder(s, 8, 7, 2, &slots_of[i]);
    pids[3] = holder(s, 8, 9, 2, &slots_of[3]);
    CU_ASSERT(slots_of[0] == 0 && slots_of[1] == 1 && slots_of[2] == SLOTS_SHARE_FULL && slots_of[3] == 2);
    end(pids[1]);
    int mine = slots_take(s, 8, 7, 2);
    CU_ASSERT_EQUAL(mine, 1);
    CU_ASSERT_EQUAL(slots_take(s, 8, 7, 2), SLOTS_SHARE_FULL);
    CU_ASSERT_EQUAL(slots_take(s, 3, 8, 2), SLOTS_FULL);
    slots_give(s, mine);
    for (int i = 0; i < 4; i++)
        end(pids[i]);
}

static void test_login_slots(void)
{
    struct api_settings settings = {.workers = 40, .login_slots = 3};
    CU_ASSERT_EQUAL(api_login_slots(&settings), 3);
    settings = (struct api_settings){.workers = 1};
    CU_ASSERT_EQUAL(api_login_slots(&settings), 1);
    settings = (struct api_settings){0};
    CU_ASSERT(api_login_slots(&settings) >= 1 && api_login_slots(&settings) <= (size_t)api_worker_count(&settings) / 4);
}

static void test_passwords(void)
{
    char hash[SECRET_PASSWORD_HASH_SIZE];
    CU_ASSERT_EQUAL_FATAL(secret_init(), 0);
    CU_ASSERT_EQUAL_FATAL(secret_hash_password("right", hash), 0);
    CU_ASSERT_EQUAL(secret_verify_password(hash, "right"), SECRET_RIGHT);
    CU_ASSERT_EQUAL(secret_verify_password(hash, "wrong"), SECRET_WRONG);
    CU_ASSERT_EQUAL(secret_verify_password(NULL, "right"), SECRET_WRONG);
    /* Whoever has no hash is checked by one that takes as long. */
    CU_ASSERT(secret_hash_current(hash));
    CU_ASSERT(secret_hash_current(NULL));
}

void suite_access(void)
{
    CU_pSuite suite = CU_add_suite("access", NULL, NULL);
    CU_add_test(suite, "a client is counted by its /64, or its IPv4 address", test_prefixes);
    CU_add_test(suite, "slots: never more than there are, and those of the dead are free", test_slots);
    CU_add_test(suite, "slots: a share for each key", test_shares);
    CU_add_test(suite, "hashing never takes all workers", test_login_slots);
    CU_add_test(suite, "passwords are right or wrong, and unknown users cost the same", test_passwords);
}
