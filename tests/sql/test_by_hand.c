/* What a DBA does by hand, as the owner: every column of every table, and INSERT, DELETE and TRUNCATE of each. The change is
 * refused, or followed (new containers, the queue, a notification), or harmless for a reason that stands here. What is in the
 * catalog and not here fails the test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/db.h"
#include "gen/api_statements.h"
#include "gen/deployer_statements.h"
#include "tests/sql/suites.h"

#define WEB "11111111-1111-4111-8111-111111111111"
#define DB "22222222-2222-4222-8222-222222222222"
#define API "33333333-3333-4333-8333-333333333333"
#define AUTO "44444444-4444-4444-8444-444444444444"

enum {
    REFUSED = 1 << 0,
    GENERATION = 1 << 1,  /* new containers, and so QUEUE */
    QUEUE = 1 << 2,       /* revision rises, the service is due, deployers are notified */
    ROUTES = 1 << 3,      /* routers are notified */
    AUTOSCALING = 1 << 4, /* autoscalers are notified */
    KEPT = 1 << 5,        /* derived: it is what it was */
    HARMLESS = 1 << 6,    /* why says */
};
#define ANEW (GENERATION | QUEUE)

static const struct {
    const char *column; /* or INSERT or DELETE */
    int expected;
    const char *change, *why;
} rows[] = {
    {.column = "services.id", .expected = REFUSED, .change = "UPDATE skylark.services SET id = gen_random_uuid() WHERE name = 'web'"},
    {.column = "services.seq", .expected = REFUSED, .change = "UPDATE skylark.services SET seq = 7 WHERE name = 'web'"},
    {.column = "services.namespace_id", .expected = REFUSED, .change = "UPDATE skylark.services SET namespace_id = (SELECT id FROM skylark.namespaces WHERE name = 'other') WHERE name = 'auto'"},
    {.column = "services.name", .expected = ANEW | ROUTES, .change = "UPDATE skylark.services SET name = 'api2' WHERE name = 'api'"},
    {.column = "services.domain_label", .expected = KEPT, .change = "UPDATE skylark.services SET domain_label = 'x' WHERE name = 'web'"},
    {.column = "services.image_name", .expected = ANEW, .change = "UPDATE skylark.services SET image_name = 'y' WHERE name = 'web'"},
    {.column = "services.image_tag", .expected = ANEW, .change = "UPDATE skylark.services SET image_tag = 'v2' WHERE name = 'web'"},
    {.column = "services.run_command", .expected = ANEW, .change = "UPDATE skylark.services SET run_command = 'x' WHERE name = 'web'"},
    {.column = "services.instance_size", .expected = ANEW, .change = "UPDATE skylark.services SET instance_size = 'S' WHERE name = 'web'"},
    {.column = "services.scaling_mode", .expected = REFUSED, .change = "UPDATE skylark.services SET scaling_mode = 'AUTO' WHERE name = 'web'", .why = "without settings"},
    {.column = "services.scaling_mode", .expected = AUTOSCALING, .change = "UPDATE skylark.services SET scaling_mode = 'AUTO' WHERE name = 'api'", .why = "with settings"},
    {.column = "services.target_state", .expected = QUEUE, .change = "UPDATE skylark.services SET target_state = 'STOPPED' WHERE name = 'web'"},
    {.column = "services.target_num_instances", .expected = QUEUE, .change = "UPDATE skylark.services SET target_num_instances = 5 WHERE name = 'web'"},
    {.column = "services.target_num_instances", .expected = QUEUE | AUTOSCALING, .change = "UPDATE skylark.services SET target_num_instances = 90 WHERE name = 'auto'", .why = "the autoscaler brings it back between its minimum and maximum"},
    {.column = "services.target_num_instances", .expected = REFUSED, .change = "UPDATE skylark.services SET target_num_instances = 900 WHERE name = 'auto'", .why = "beyond the namespace's quotas"},
    {.column = "services.most_instances", .expected = KEPT, .change = "UPDATE skylark.services SET most_instances = 0 WHERE name = 'web'"},
    {.column = "services.created_by", .expected = HARMLESS, .change = "UPDATE skylark.services SET created_by = 'x' WHERE name = 'web'", .why = "a name that is shown"},
    {.column = "services.created_at", .expected = HARMLESS, .change = "UPDATE skylark.services SET created_at = 'epoch' WHERE name = 'web'", .why = "a time that is shown"},
    {.column = "services.updated_at", .expected = KEPT, .change = "UPDATE skylark.services SET updated_at = now() + interval '1 day' WHERE name = 'web'"},
    {.column = "services.last_autoscaled_at", .expected = HARMLESS, .change = "UPDATE skylark.services SET last_autoscaled_at = 'epoch' WHERE name = 'auto'", .why = "a time that is shown; the autoscaler goes by autoscaling_queue"},
    {.column = "services.last_redeployed_at", .expected = KEPT, .change = "UPDATE skylark.services SET last_redeployed_at = now() WHERE name = 'web'"},
    {.column = "services.revision", .expected = KEPT, .change = "UPDATE skylark.services SET revision = 9 WHERE name = 'web'"},
    {.column = "services.generation", .expected = ANEW, .change = "UPDATE skylark.services SET generation = 9223372036854775807 WHERE name = 'web'; "
     "UPDATE skylark.services SET image_tag = 'v3' WHERE name = 'web'"},
    {.column = "services.generation", .expected = KEPT, .change = "UPDATE skylark.services SET generation = 1 WHERE name = 'web'"},
    {.column = "services.deleted_at", .expected = QUEUE | GENERATION | ROUTES, .change = "UPDATE skylark.services SET deleted_at = now() WHERE name = 'api'"},
    {.column = "services.deleted_at", .expected = REFUSED, .change = "UPDATE skylark.services SET deleted_at = now() WHERE name = 'web'", .why = "api links to it"},
    {.column = "services.deleted_at", .expected = REFUSED, .change = "UPDATE skylark.services SET deleted_at = NULL WHERE name = 'gone'"},
    {.column = "services.INSERT", .expected = ANEW, .change = "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                               "SELECT gen_random_uuid(), id, 'new', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'"},
    {.column = "services.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, scaling_mode) "
                                 "SELECT gen_random_uuid(), id, 'new', 'x', 'XS', 'demo', 'AUTO' FROM skylark.namespaces WHERE name = 'demo'"},
    {.column = "services.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.services WHERE name = 'api'"},
    {.column = "services.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.services WHERE name = 'gone'", .why = "no deployer holds it"},

    {.column = "envvars.service_id", .expected = ANEW, .change = "UPDATE skylark.envvars SET service_id = '" DB "'"},
    {.column = "envvars.name", .expected = ANEW, .change = "UPDATE skylark.envvars SET name = 'B'"},
    {.column = "envvars.name", .expected = REFUSED, .change = "UPDATE skylark.envvars SET name = '__DEFAULT_DOMAIN_NAME__'"},
    {.column = "envvars.value", .expected = ANEW, .change = "UPDATE skylark.envvars SET value = '2'"},
    {.column = "envvars.INSERT", .expected = ANEW, .change = "INSERT INTO skylark.envvars VALUES ('" WEB "', 'C', '3')"},
    {.column = "envvars.DELETE", .expected = ANEW, .change = "DELETE FROM skylark.envvars"},

    {.column = "ports.id", .expected = REFUSED, .change = "UPDATE skylark.ports SET id = 1"},
    {.column = "ports.service_id", .expected = ANEW | ROUTES, .change = "UPDATE skylark.ports SET service_id = '" DB "' WHERE container_port = 80"},
    {.column = "ports.container_port", .expected = ANEW | ROUTES, .change = "UPDATE skylark.ports SET container_port = 8080 WHERE container_port = 80"},
    {.column = "ports.protocol", .expected = ANEW | ROUTES, .change = "UPDATE skylark.ports SET protocol = 'udp' WHERE container_port = 81"},
    {.column = "ports.endpoint_type", .expected = ANEW | ROUTES, .change = "UPDATE skylark.ports SET endpoint_type = 'internal-endpoint' WHERE container_port = 81"},
    {.column = "ports.service_port", .expected = ANEW | ROUTES, .change = "UPDATE skylark.ports SET service_port = 29999 WHERE container_port = 81"},
    {.column = "ports.service_port", .expected = REFUSED, .change = "UPDATE skylark.ports SET service_port = 443 WHERE container_port = 81"},
    {.column = "ports.INSERT", .expected = ANEW | ROUTES, .change = "INSERT INTO skylark.ports (service_id, container_port) VALUES ('" DB "', 5432)"},
    {.column = "ports.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.ports (service_id, container_port, service_port) VALUES ('" DB "', 5432, 80)"},
    {.column = "ports.DELETE", .expected = ANEW | ROUTES, .change = "DELETE FROM skylark.ports WHERE container_port = 80"},

    {.column = "custom_domains.name", .expected = ROUTES, .change = "UPDATE skylark.custom_domains SET name = 'b.example.com'"},
    {.column = "custom_domains.service_id", .expected = ROUTES, .change = "UPDATE skylark.custom_domains SET service_id = '" DB "'"},
    {.column = "custom_domains.position", .expected = ROUTES, .change = "UPDATE skylark.custom_domains SET position = 2"},
    {.column = "custom_domains.INSERT", .expected = ROUTES, .change = "INSERT INTO skylark.custom_domains VALUES ('c.example.com', '" WEB "', 2)"},
    {.column = "custom_domains.DELETE", .expected = ROUTES, .change = "DELETE FROM skylark.custom_domains"},

    {.column = "volumes.id", .expected = REFUSED, .change = "UPDATE skylark.volumes SET id = DEFAULT"},
    {.column = "volumes.service_id", .expected = REFUSED, .change = "UPDATE skylark.volumes SET service_id = '" DB "'"},
    {.column = "volumes.app_volume_dir", .expected = REFUSED, .change = "UPDATE skylark.volumes SET app_volume_dir = '/e'"},
    {.column = "volumes.volume_type", .expected = REFUSED, .change = "UPDATE skylark.volumes SET volume_type = 'sized'"},
    {.column = "volumes.size_gb", .expected = REFUSED, .change = "UPDATE skylark.volumes SET size_gb = 2"},
    {.column = "volumes.INSERT", .expected = ANEW, .change = "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" WEB "', '/n', 1)"},
    {.column = "volumes.INSERT", .expected = REFUSED, .change = "DELETE FROM skylark.volumes; INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb, volume_type) "
                                "VALUES ('" WEB "', '/d', 1, 'sized')", .why = "of another type than what is kept"},
    {.column = "volumes.DELETE", .expected = ANEW, .change = "DELETE FROM skylark.volumes"},

    {.column = "links.namespace_id", .expected = REFUSED, .change = "UPDATE skylark.links SET namespace_id = (SELECT id FROM skylark.namespaces WHERE name = 'other')"},
    {.column = "links.service_id", .expected = ANEW, .change = "UPDATE skylark.links SET service_id = '" AUTO "' WHERE service_id = '" API "'"},
    {.column = "links.service_id", .expected = REFUSED, .change = "UPDATE skylark.links SET service_id = '" DB "' WHERE service_id = '" API "'", .why = "web links to db: a circle"},
    {.column = "links.target_service_id", .expected = ANEW, .change = "UPDATE skylark.links SET target_service_id = '" AUTO "' WHERE service_id = '" API "'"},
    {.column = "links.target_service_id", .expected = REFUSED, .change = "UPDATE skylark.links SET target_service_id = '" API "' WHERE service_id = '" WEB "'", .why = "a circle"},
    {.column = "links.alias", .expected = ANEW, .change = "UPDATE skylark.links SET alias = 'other' WHERE service_id = '" API "'"},
    {.column = "links.variable", .expected = REFUSED, .change = "UPDATE skylark.links SET variable = 'x'"},
    {.column = "links.INSERT", .expected = ANEW, .change = "INSERT INTO skylark.links SELECT namespace_id, '" AUTO "', '" WEB "', 'w' FROM skylark.services WHERE name = 'web'"},
    {.column = "links.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.links SELECT namespace_id, '" DB "', '" API "', 'a' FROM skylark.services WHERE name = 'web'", .why = "a circle of three"},
    {.column = "links.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.links SELECT namespace_id, '" API "', id, 'g' FROM skylark.services WHERE name = 'gone'", .why = "it is deleted"},
    {.column = "links.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.links SELECT namespace_id, '" API "', id, 'f' FROM skylark.services WHERE name = 'foreign'", .why = "of another namespace"},
    {.column = "links.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.links SELECT namespace_id, '" API "', '" DB "', 'WEB' FROM skylark.services WHERE name = 'web'", .why = "its variables are those of web"},
    {.column = "links.DELETE", .expected = ANEW, .change = "DELETE FROM skylark.links WHERE service_id = '" API "'"},

    {.column = "autoscaling_settings.service_id", .expected = REFUSED, .change = "UPDATE skylark.autoscaling_settings SET service_id = '" WEB "' WHERE service_id = '" AUTO "'", .why = "which is AUTO"},
    {.column = "autoscaling_settings.service_id", .expected = HARMLESS, .change = "UPDATE skylark.autoscaling_settings SET service_id = '" WEB "' WHERE service_id = '" API "'", .why = "neither is AUTO"},
    {.column = "autoscaling_settings.metric_name", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET metric_name = 'MEMORY_UTILIZATION'"},
    {.column = "autoscaling_settings.metric_stat", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET metric_stat = 'MAX'"},
    {.column = "autoscaling_settings.upper_threshold", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET upper_threshold = 0.9"},
    {.column = "autoscaling_settings.lower_threshold", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET lower_threshold = 0.3"},
    {.column = "autoscaling_settings.increase_delta", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET increase_delta = 3"},
    {.column = "autoscaling_settings.decrease_delta", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET decrease_delta = 3"},
    {.column = "autoscaling_settings.minimum_num_instances", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET minimum_num_instances = 2"},
    {.column = "autoscaling_settings.maximum_num_instances", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET maximum_num_instances = 9"},
    {.column = "autoscaling_settings.wait_period", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET wait_period = 90"},
    {.column = "autoscaling_settings.scale_up_wait_period", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET scale_up_wait_period = 90"},
    {.column = "autoscaling_settings.scale_down_wait_period", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET scale_down_wait_period = 90"},
    {.column = "autoscaling_settings.stabilization_window", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET stabilization_window = 90"},
    {.column = "autoscaling_settings.dry_run", .expected = AUTOSCALING, .change = "UPDATE skylark.autoscaling_settings SET dry_run = true"},
    {.column = "autoscaling_settings.INSERT", .expected = HARMLESS, .change = "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, "
     "minimum_num_instances, maximum_num_instances) VALUES ('" WEB "', 'CPU_UTILIZATION', 0.6, 0.2, 1, 6)", .why = "only an AUTO service goes by it"},
    {.column = "autoscaling_settings.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.autoscaling_settings WHERE service_id = '" AUTO "'", .why = "which is AUTO"},
    {.column = "autoscaling_settings.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.autoscaling_settings WHERE service_id = '" API "'", .why = "which is not AUTO"},

    {.column = "namespaces.id", .expected = REFUSED, .change = "UPDATE skylark.namespaces SET id = 7"},
    {.column = "namespaces.name", .expected = ANEW | ROUTES, .change = "UPDATE skylark.namespaces SET name = 'demos' WHERE name = 'demo'"},
    {.column = "namespaces.kind", .expected = REFUSED, .change = "UPDATE skylark.namespaces SET kind = 'user' WHERE name = 'other'"},
    {.column = "namespaces.created_at", .expected = HARMLESS, .change = "UPDATE skylark.namespaces SET created_at = 'epoch'", .why = "a time that is shown"},
    {.column = "namespaces.INSERT", .expected = HARMLESS, .change = "INSERT INTO skylark.namespaces (name, kind) VALUES ('third', 'organisation')", .why = "as skylarkctl does"},
    {.column = "namespaces.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.namespaces WHERE name = 'demo'", .why = "it has services"},
    {.column = "namespaces.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.namespaces WHERE name = 'empty'", .why = "it has none; its members' rights go with it"},

    {.column = "users.id", .expected = REFUSED, .change = "DELETE FROM skylark.memberships; DELETE FROM skylark.api_tokens; UPDATE skylark.users SET id = (SELECT id FROM skylark.namespaces WHERE name = 'empty')"},
    {.column = "users.kind", .expected = REFUSED, .change = "UPDATE skylark.users SET kind = 'organisation'"},
    {.column = "users.password_hash", .expected = HARMLESS, .change = "UPDATE skylark.users SET password_hash = '$argon2id$y'", .why = "each login reads it: the old password does no more"},
    {.column = "users.password_changed_at", .expected = HARMLESS, .change = "UPDATE skylark.users SET password_changed_at = now()", .why = "a time that is shown, and compared at login"},
    {.column = "users.disabled_at", .expected = HARMLESS, .change = "UPDATE skylark.users SET disabled_at = now()", .why = "each request reads it"},
    {.column = "users.INSERT", .expected = HARMLESS, .change = "INSERT INTO skylark.users (id, password_hash) SELECT id, '$argon2id$x' FROM skylark.namespaces WHERE name = 'empty'", .why = "as skylarkctl does; a trigger makes it admin of its own"},
    {.column = "users.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.users", .why = "tokens and rights go with the user; its services stay to the other members"},

    {.column = "memberships.user_id", .expected = HARMLESS, .change = "UPDATE skylark.memberships SET user_id = user_id", .why = "each request reads it"},
    {.column = "memberships.namespace_id", .expected = HARMLESS, .change = "UPDATE skylark.memberships SET namespace_id = (SELECT id FROM skylark.namespaces WHERE name = 'other')", .why = "each request reads it"},
    {.column = "memberships.access", .expected = HARMLESS, .change = "UPDATE skylark.memberships SET access = 'read'", .why = "each request reads it"},
    {.column = "memberships.created_at", .expected = HARMLESS, .change = "UPDATE skylark.memberships SET created_at = 'epoch'", .why = "a time that is shown"},
    {.column = "memberships.INSERT", .expected = HARMLESS, .change = "INSERT INTO skylark.memberships SELECT u.id, n.id, 'read' FROM skylark.users u, skylark.namespaces n WHERE n.name = 'other'", .why = "each request reads it"},
    {.column = "memberships.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.memberships", .why = "each request reads it"},

    {.column = "api_tokens.id", .expected = REFUSED, .change = "UPDATE skylark.api_tokens SET id = 7"},
    {.column = "api_tokens.user_id", .expected = REFUSED, .change = "UPDATE skylark.api_tokens SET user_id = user_id + 1"},
    {.column = "api_tokens.token_hash", .expected = REFUSED, .change = "UPDATE skylark.api_tokens SET token_hash = sha256('y')"},
    {.column = "api_tokens.token_prefix", .expected = REFUSED, .change = "UPDATE skylark.api_tokens SET token_prefix = 'abcdefgi'"},
    {.column = "api_tokens.scope", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET scope = 'read'", .why = "each request reads it"},
    {.column = "api_tokens.description", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET description = 'x'", .why = "a text that is shown"},
    {.column = "api_tokens.created_at", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET created_at = 'epoch'", .why = "a token's age, which each request reads"},
    {.column = "api_tokens.expires_at", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET expires_at = now() + interval '1 s'", .why = "each request reads it"},
    {.column = "api_tokens.expires_at", .expected = REFUSED, .change = "UPDATE skylark.api_tokens SET expires_at = created_at"},
    {.column = "api_tokens.idle_limit", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET idle_limit = '1 day'", .why = "each request reads it"},
    {.column = "api_tokens.by_login", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET by_login = true", .why = "a changed password ends it, or does not"},
    {.column = "api_tokens.revoked_at", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET revoked_at = now()", .why = "each request reads it"},
    {.column = "api_tokens.last_used_at", .expected = HARMLESS, .change = "UPDATE skylark.api_tokens SET last_used_at = 'epoch'", .why = "each request that uses it sets it"},
    {.column = "api_tokens.INSERT", .expected = HARMLESS, .change = "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, sha256('z'), '12345678' FROM skylark.users", .why = "as skylarkctl does"},
    {.column = "api_tokens.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.api_tokens", .why = "each request reads it"},

    {.column = "installation.only_row", .expected = REFUSED, .change = "UPDATE skylark.installation SET only_row = false"},
    {.column = "installation.id", .expected = REFUSED, .change = "UPDATE skylark.installation SET id = gen_random_uuid()"},
    {.column = "installation.base_domain", .expected = ANEW | ROUTES, .change = "UPDATE skylark.installation SET base_domain = 'example.org'"},
    {.column = "installation.region_name", .expected = HARMLESS, .change = "UPDATE skylark.installation SET region_name = 'r'", .why = "a name that is shown"},
    {.column = "installation.region_iaas", .expected = HARMLESS, .change = "UPDATE skylark.installation SET region_iaas = 'r'", .why = "a name that is shown"},
    {.column = "installation.engine_id", .expected = REFUSED, .change = "UPDATE skylark.installation SET engine_id = 'f'"},
    {.column = "installation.engine_id", .expected = HARMLESS, .change = "UPDATE skylark.installation SET engine_id = NULL, engine_recorded_at = NULL", .why = "as skylarkctl engine forget does; a deployer records its engine"},
    {.column = "installation.engine_recorded_at", .expected = HARMLESS, .change = "UPDATE skylark.installation SET engine_recorded_at = 'epoch'", .why = "a time that is shown"},
    {.column = "installation.service_port_first", .expected = HARMLESS, .change = "UPDATE skylark.installation SET service_port_first = 20001", .why = "what is reserved stays"},
    {.column = "installation.service_port_last", .expected = HARMLESS, .change = "UPDATE skylark.installation SET service_port_last = 29998", .why = "what is reserved stays"},
    {.column = "installation.front_address", .expected = HARMLESS, .change = "UPDATE skylark.installation SET front_address = '192.0.2.1'", .why = "an address that is shown"},
    {.column = "installation.host_names", .expected = ROUTES, .change = "UPDATE skylark.installation SET host_names = '{a.example.com}'"},
    {.column = "installation.host_names", .expected = REFUSED, .change = "UPDATE skylark.installation SET host_names = '{a.example.com,NULL}'"},
    {.column = "installation.host_names", .expected = REFUSED, .change = "UPDATE skylark.installation SET host_names = '{a b}'"},
    {.column = "installation.host_names", .expected = REFUSED, .change = "UPDATE skylark.installation SET host_names = '{{a},{b}}'"},
    {.column = "installation.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.installation DEFAULT VALUES"},
    {.column = "installation.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.installation"},

    {.column = "instance_sizes.name", .expected = REFUSED, .change = "UPDATE skylark.instance_sizes SET name = name || 'L' WHERE name = 'XL'"},
    {.column = "instance_sizes.cpu_millis", .expected = HARMLESS, .change = "UPDATE skylark.instance_sizes SET cpu_millis = 100", .why = "for instances made afterwards, as documented"},
    {.column = "instance_sizes.memory_bytes", .expected = HARMLESS, .change = "UPDATE skylark.instance_sizes SET memory_bytes = 1 << 25", .why = "for instances made afterwards, as documented"},
    {.column = "instance_sizes.pids_limit", .expected = HARMLESS, .change = "UPDATE skylark.instance_sizes SET pids_limit = 100", .why = "for instances made afterwards, as documented"},
    {.column = "instance_sizes.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.instance_sizes VALUES ('XXL', 100, 1 << 25)"},
    {.column = "instance_sizes.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.instance_sizes WHERE name = 'XL'"},

    {.column = "volume_types.name", .expected = REFUSED, .change = "UPDATE skylark.volume_types SET name = 'EFS' WHERE name = 'EBS'", .why = "volumes have it"},
    {.column = "volume_types.name", .expected = HARMLESS, .change = "UPDATE skylark.volume_types SET name = 'big' WHERE name = 'sized'", .why = "no volume has it, and each request reads it"},
    {.column = "volume_types.driver", .expected = HARMLESS, .change = "UPDATE skylark.volume_types SET driver = 'x'", .why = "for volumes made afterwards: kept_volumes has what the others are"},
    {.column = "volume_types.options", .expected = HARMLESS, .change = "UPDATE skylark.volume_types SET options = '{\"a\": \"b\"}'", .why = "likewise"},
    {.column = "volume_types.options", .expected = REFUSED, .change = "UPDATE skylark.volume_types SET options = '{\"a\": 1}'", .why = "the engine takes texts only"},
    {.column = "volume_types.size_enforced", .expected = REFUSED, .change = "UPDATE skylark.volume_types SET size_enforced = true"},
    {.column = "volume_types.INSERT", .expected = HARMLESS, .change = "INSERT INTO skylark.volume_types (name) VALUES ('new')", .why = "as skylarkctl does"},
    {.column = "volume_types.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.volume_types WHERE name = 'EBS'", .why = "volumes have it"},
    {.column = "volume_types.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.volume_types WHERE name = 'sized'", .why = "no volume has it"},

    {.column = "quotas.namespace_id", .expected = REFUSED, .change = "UPDATE skylark.quotas SET namespace_id = (SELECT id FROM skylark.namespaces WHERE name = 'demo') WHERE name = 'services'"},
    {.column = "quotas.name", .expected = REFUSED, .change = "UPDATE skylark.quotas SET name = 'tokens' WHERE name = 'services'"},
    {.column = "quotas.maximum", .expected = HARMLESS, .change = "UPDATE skylark.quotas SET maximum = 0", .why = "takes nothing away; each change that asks for more reads it"},
    {.column = "quotas.INSERT", .expected = HARMLESS, .change = "INSERT INTO skylark.quotas SELECT id, 'services', 0 FROM skylark.namespaces WHERE name = 'demo'", .why = "likewise"},
    {.column = "quotas.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.quotas WHERE name = 'services'", .why = "what all have"},

    {.column = "login_totals.part", .expected = REFUSED, .change = "UPDATE skylark.login_totals SET part = part + 100"},
    {.column = "login_totals.failures", .expected = HARMLESS, .change = "UPDATE skylark.login_totals SET failures = 1000", .why = "logins are slow until the window has passed"},
    {.column = "login_totals.first_at", .expected = HARMLESS, .change = "UPDATE skylark.login_totals SET first_at = now()", .why = "logins are slow until the window has passed"},
    {.column = "login_totals.INSERT", .expected = REFUSED, .change = "INSERT INTO skylark.login_totals (part) VALUES (9)"},
    {.column = "login_totals.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.login_totals"},

    {.column = "fronts.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.fronts", .why = "as skylarkctl front forget does; a router that lives reports again"},
    {.column = "instances.DELETE", .expected = REFUSED, .change = "DELETE FROM skylark.instances WHERE state = 'running'"},
    {.column = "instances.DELETE", .expected = HARMLESS, .change = "DELETE FROM skylark.instances WHERE state = 'removed'", .why = "history"},
};

/* Tables of which every column, and what else is named, is treated alike. */
static const struct {
    const char *table;
    bool guarded;       /* else any change is harmless */
    const char *except; /* of INSERT DELETE TRUNCATE, what has rows of its own */
    const char *why;
} tables[] = {
    {.table = "service_status", .guarded = true}, {.table = "instances", .guarded = true, .except = "DELETE"}, {.table = "instance_ports", .guarded = true}, {.table = "kept_volumes", .guarded = true}, {.table = "engines", .guarded = true},
    {.table = "image_pulls", .guarded = true}, {.table = "reconcile_queue", .guarded = true}, {.table = "wakes", .guarded = true}, {.table = "log_positions", .guarded = true}, {.table = "autoscaling_queue", .guarded = true}, {.table = "fronts", .guarded = true, .except = "DELETE"},
    {.table = "schema_migrations", .guarded = true}, {.table = "schema_definitions", .guarded = true}, {.table = "schema_objects", .guarded = true},
    {.table = "events", .guarded = false, .except = "", .why = "history: nothing goes by it"},
    {.table = "log_rows", .guarded = false, .except = "", .why = "history: nothing goes by it"},
    {.table = "log_rows_other", .guarded = false, .except = "", .why = "as log_rows"},
    {.table = "log_rows_later", .guarded = false, .except = "", .why = "as log_rows"},
    {.table = "metric_samples", .guarded = false, .except = "", .why = "the autoscaler stays between minimum and maximum, and the next samples are true"},
    {.table = "metric_samples_other", .guarded = false, .except = "", .why = "as metric_samples"},
    {.table = "metric_samples_later", .guarded = false, .except = "", .why = "as metric_samples"},
    {.table = "autoscaling_decisions", .guarded = false, .except = "", .why = "history: nothing goes by it"},
    {.table = "login_failures", .guarded = false, .except = "", .why = "logins of a name or address are slow, or are not, until the window has passed"},
    {.table = "login_addresses", .guarded = false, .except = "", .why = "at which addresses a user is known; each login adds its own"},
};

static const char *const history[] = {"events", "log_rows", "metric_samples", "autoscaling_decisions", "login_failures",
                                      "login_addresses"};

static void fixture(PGconn *c)
{
    static const char *const steps[] = {
        "SET skylark.by_hand = on",
        "BEGIN",
        "DELETE FROM skylark.services", "DELETE FROM skylark.fronts", "DELETE FROM skylark.engines", "DELETE FROM skylark.namespaces",
        "DELETE FROM skylark.quotas WHERE namespace_id IS NOT NULL", "UPDATE skylark.quotas SET maximum = 200",
        "UPDATE skylark.quotas SET maximum = 100000 WHERE name IN ('cpu_millis', 'memory_mib')",
        "DELETE FROM skylark.volume_types WHERE name <> 'EBS'",
        "UPDATE skylark.volume_types SET driver = 'local', options = '{}'",
        "UPDATE skylark.instance_sizes SET cpu_millis = 500, memory_bytes = 1 << 28, pids_limit = 512",
        "UPDATE skylark.installation SET base_domain = 'skylark.localhost', host_names = '{localhost}', engine_id = NULL, engine_recorded_at = NULL, "
        "service_port_first = 20000, service_port_last = 29999",
        "UPDATE skylark.installation SET engine_id = 'e', engine_recorded_at = now()",
        "INSERT INTO skylark.namespaces (name, kind) VALUES ('demo', 'user'), ('empty', 'user'), ('other', 'organisation')",
        "INSERT INTO skylark.users (id, password_hash) SELECT id, '$argon2id$x' FROM skylark.namespaces WHERE name = 'demo'",
        "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, sha256('x'), 'abcdefgh' FROM skylark.users",
        "INSERT INTO skylark.volume_types (name, options) VALUES ('sized', '{\"size\": \"{size_gb}\"}')",
        "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, scaling_mode, deleted_at, created_at, updated_at) "
        "SELECT s.id::uuid, n.id, s.name, 'x', 'XS', 'demo', s.mode, s.deleted_at, now() - interval '1 day', now() - interval '1 day' "
        "FROM (VALUES ('" WEB "', 'demo', 'web', 'MANUAL', NULL::timestamptz), ('" DB "', 'demo', 'db', 'MANUAL', NULL), ('" API "', 'demo', 'api', 'MANUAL', NULL), "
        "('" AUTO "', 'demo', 'auto', 'AUTO', NULL), ('55555555-5555-4555-8555-555555555555', 'demo', 'gone', 'MANUAL', now()), "
        "('66666666-6666-4666-8666-666666666666', 'other', 'foreign', 'MANUAL', NULL)) AS s (id, namespace, name, mode, deleted_at) "
        "JOIN skylark.namespaces n ON n.name = s.namespace",
        "INSERT INTO skylark.envvars VALUES ('" WEB "', 'A', '1')",
        "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('" WEB "', 80, 'http-endpoint'), ('" WEB "', 81, 'tcp-endpoint')",
        "INSERT INTO skylark.custom_domains VALUES ('a.example.com', '" WEB "', 1)",
        "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" WEB "', '/d', 1)",
        "INSERT INTO skylark.kept_volumes SELECT service_id, app_volume_dir, id, volume_type, size_gb, 'local', '{}' FROM skylark.volumes",
        "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, minimum_num_instances, "
        "maximum_num_instances) VALUES ('" AUTO "', 'CPU_UTILIZATION', 0.6, 0.2, 1, 6), ('" API "', 'CPU_UTILIZATION', 0.6, 0.2, 1, 6)",
        "INSERT INTO skylark.links SELECT namespace_id, '" WEB "', '" DB "', 'db' FROM skylark.services WHERE name = 'web'",
        "INSERT INTO skylark.links SELECT namespace_id, '" API "', '" WEB "', 'web' FROM skylark.services WHERE name = 'web'",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state) "
        "VALUES (gen_random_uuid(), '" WEB "', 0, 1, 'e', 'c', 'running')",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, removed_at) "
        "VALUES (gen_random_uuid(), '" WEB "', 1, 1, 'e', 'd', 'removed', now())",
        "INSERT INTO skylark.fronts (name) VALUES ('h')",
        "UPDATE skylark.reconcile_queue SET due_at = 'infinity'",
        "COMMIT",
        "SET skylark.by_hand = off",
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(sql_run(c, "%s", steps[i])[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
}

/* A connection as a DBA has it, that hears what processes hear. */
static PGconn *dba(void)
{
    static bool made;
    if (!made) {
        sql_database("by_hand");
        if (sql_ctl("by_hand", "migrate", NULL) != 0)
            abort();
        made = true;
    }
    PGconn *c = sql_connect("by_hand", NULL);
    sql_run(c, "SET skylark.by_hand = off; LISTEN skylark_services; LISTEN skylark_routes; LISTEN skylark_autoscaling");
    return c;
}

struct state {
    long generations, revisions, due;
};

static struct state look(PGconn *c)
{
    return (struct state){
        .generations = atol(sql_value(c, "SELECT sum(generation) FROM skylark.services")),
        .revisions = atol(sql_value(c, "SELECT sum(revision) FROM skylark.services")),
        .due = atol(sql_value(c, "SELECT count(*) FROM skylark.wakes WHERE changed")),
    };
}

static int heard(PGconn *c)
{
    int all = 0;
    PQconsumeInput(c);
    for (PGnotify *n; (n = PQnotifies(c)) != NULL; PQfreemem(n))
        all |= strcmp(n->relname, "skylark_services") == 0 ? QUEUE : strcmp(n->relname, "skylark_routes") == 0 ? ROUTES : AUTOSCALING;
    return all;
}

/* Makes the change in a transaction of its own. Returns what came of it: REFUSED, or what followed. */
static int change(PGconn *c, const char *text)
{
    struct state before = look(c);
    heard(c);
    if (sql_run(c, "BEGIN; %s; COMMIT", text)[0] != '\0') {
        sql_run(c, "ROLLBACK");
        return REFUSED;
    }
    int notified = heard(c), what = notified & (ROUTES | AUTOSCALING);
    struct state after = look(c);
    if (after.generations != before.generations)
        what |= GENERATION;
    if (after.revisions != before.revisions) {
        CHECK((notified & QUEUE) != 0, "%s: the queue changes and no deployer is notified", text);
        CHECK(after.due > before.due, "%s: the queue changes and nothing is due", text);
        what |= QUEUE;
    }
    return what;
}

static void test_columns(void)
{
    PGconn *c = dba();
    fixture(c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char was[200] = "", table[64];
        const char *column = strchr(rows[i].column, '.') + 1;
        snprintf(table, sizeof table, "%.*s", (int)(column - rows[i].column - 1), rows[i].column);
        if (rows[i].expected == KEPT)
            snprintf(was, sizeof was, "%s", sql_value(c, "SELECT array_agg(%s::text ORDER BY id) FROM skylark.%s", column, table));
        int what = change(c, rows[i].change);
        char message[300];
        snprintf(message, sizeof message, "%s", PQerrorMessage(c));
        int expected = rows[i].expected & (REFUSED | GENERATION | QUEUE | ROUTES | AUTOSCALING);
        CHECK(what == expected, "%s: %s: %x instead of %x %s", rows[i].column, rows[i].change, (unsigned)what, (unsigned)expected,
              what == REFUSED ? message : "");
        CHECK((rows[i].expected & HARMLESS) == 0 || rows[i].why != NULL, "%s: harmless without a reason", rows[i].column);
        if (rows[i].expected == KEPT)
            CHECK(strcmp(was, sql_value(c, "SELECT array_agg(%s::text ORDER BY id) FROM skylark.%s", column, table)) == 0, "%s is not kept",
                  rows[i].column);
        if (what != REFUSED)
            fixture(c);
    }
    PQfinish(c);
}

/* Index of the table among those that are treated as a whole, or -1. */
static int whole(const char *table)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (strcmp(tables[i].table, table) == 0)
            return (int)i;
    return -1;
}

static bool has_row(const char *table, const char *column)
{
    char name[140];
    snprintf(name, sizeof name, "%s.%s", table, column);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].column, name) == 0)
            return true;
    return false;
}

/* The catalog says which columns there are. */
static void test_complete(void)
{
    PGconn *c = dba();
    fixture(c);
    PGresult *r = PQexec(c, "SELECT c.relname, a.attname, a.attgenerated <> '' OR a.attidentity = 'a' AS derived "
                            "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'skylark'::regnamespace "
                            "AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND c.relname !~ '_[0-9]{8}$'");
    CHECK(PQntuples(r) > 200, "only %d columns", PQntuples(r));
    for (int i = 0; i < PQntuples(r); i++) {
        const char *table = sql_column(r, i, "relname"), *column = sql_column(r, i, "attname");
        int t = whole(table);
        if (t < 0) {
            CHECK(has_row(table, column), "tests/sql/test_by_hand.c has no row for %s.%s: what follows when a DBA changes it?", table, column);
        } else if (tables[t].guarded) {
            const char *state = sql_run(c, "UPDATE skylark.%s SET %s = %s", table, column, sql_column(r, i, "derived")[0] == 't' ? "DEFAULT" : column);
            CHECK(strcmp(state, "55000") == 0, "%s.%s is not guarded: %s", table, column, state);
        } else {
            CHECK(tables[t].why != NULL, "%s: harmless without a reason", table);
        }
    }
    PQclear(r);
    PQfinish(c);
}

static void test_tables(void)
{
    PGconn *c = dba();
    fixture(c);
    PGresult *r = PQexec(c, "SELECT relname FROM pg_class WHERE relnamespace = 'skylark'::regnamespace AND relkind IN ('r', 'p') "
                            "AND NOT relispartition");
    for (int i = 0; i < PQntuples(r); i++) {
        const char *table = sql_column(r, i, "relname");
        int t = whole(table);
        bool past = false;
        for (size_t k = 0; k < sizeof history / sizeof history[0]; k++)
            past = past || strcmp(history[k], table) == 0;
        sql_run(c, "BEGIN");
        const char *state = sql_run(c, "TRUNCATE skylark.%s CASCADE", table);
        CHECK(strcmp(state, past ? "" : "55000") == 0, "TRUNCATE of %s: \"%s\"", table, state);
        sql_run(c, "ROLLBACK");
        for (int d = 0; d < 2; d++) {
            const char *what = d == 0 ? "INSERT" : "DELETE";
            if (t < 0 || (tables[t].except != NULL && strstr(tables[t].except, what) != NULL)) {
                CHECK(has_row(table, what), "tests/sql/test_by_hand.c has no row for %s of %s", what, table);
            } else if (tables[t].guarded) {
                state = sql_run(c, d == 0 ? "INSERT INTO skylark.%s DEFAULT VALUES" : "DELETE FROM skylark.%s", table);
                CHECK(strcmp(state, "55000") == 0, "%s of %s: \"%s\"", what, table, state);
            }
        }
    }
    PQclear(r);
    PQfinish(c);
}

/* A pull that ended before the tag was changed does not count for the new tag. */
static void test_pull_is_older(void)
{
    PGconn *c = dba();
    fixture(c);
    const char *params[DEPLOYER_PULL_STATE_P__MAX] = {[DEPLOYER_PULL_STATE_P_SERVICE_ID] = DB, [DEPLOYER_PULL_STATE_P_IMAGE_REF] = "x:v2"};
    sql_run(c, "SET skylark.by_hand = on");
    CHECK(strcmp(sql_value(c, "SELECT updated_at < now() - interval '23 hours' FROM skylark.services WHERE name = 'db'"), "t") == 0,
          "the fixture has changed db");
    sql_run(c, "DELETE FROM skylark.image_pulls");
    sql_run(c, "INSERT INTO skylark.image_pulls (image_ref, state, finished_at) VALUES ('x:v2', 'done', now() - interval '1 hour')");
    sql_run(c, "SET skylark.by_hand = off");
    CHECK(sql_run(c, "UPDATE skylark.services SET image_tag = 'v2' WHERE name = 'db'")[0] == '\0', "%s", PQerrorMessage(c));
    PGresult *r = sql_statement(c, &deployer_statements[DEPLOYER_PULL_STATE], params);
    CHECK(PQntuples(r) == 1 && strcmp(sql_column(r, 0, "fresh"), "f") == 0, "an old pull is taken for the new one");
    PQclear(r);
    PQfinish(c);
}

/* What instances of others have in their environment and networks reaches those, too. */
static void test_linking(void)
{
    static const char *const changes[] = {
        "UPDATE skylark.services SET name = 'web2' WHERE name = 'web'",
        "UPDATE skylark.ports SET container_port = 8080 WHERE container_port = 80",
        "UPDATE skylark.ports SET service_id = '" DB "' WHERE container_port = 80",
        "INSERT INTO skylark.ports (service_id, container_port) VALUES ('" WEB "', 5432)",
        "DELETE FROM skylark.ports WHERE container_port = 80",
    };
    PGconn *c = dba();
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        fixture(c);
        long before = atol(sql_value(c, "SELECT generation FROM skylark.services WHERE name = 'api'"));
        CHECK(sql_run(c, "%s", changes[i])[0] == '\0', "%s: %s", changes[i], PQerrorMessage(c));
        CHECK(atol(sql_value(c, "SELECT generation FROM skylark.services WHERE name = 'api'")) > before, "%s: api links to it, and is not made anew",
              changes[i]);
    }
    PQfinish(c);
}

/* Two transactions, each of which alone breaks nothing: the one that comes later waits, sees the other, and is refused. */
static void test_at_once(void)
{
    static const struct {
        const char *before, *first, *second;
    } pairs[] = {
        /* a circle of two */
        {"SELECT 1", "INSERT INTO skylark.links SELECT namespace_id, '" AUTO "', '" DB "', 'x' FROM skylark.services WHERE name = 'web'",
         "INSERT INTO skylark.links SELECT namespace_id, '" DB "', '" AUTO "', 'y' FROM skylark.services WHERE name = 'web'"},
        /* a link to what is being deleted */
        {"DELETE FROM skylark.links", "UPDATE skylark.services SET deleted_at = now() WHERE name = 'db'",
         "INSERT INTO skylark.links SELECT namespace_id, '" WEB "', '" DB "', 'x' FROM skylark.services WHERE name = 'web'"},
        {"DELETE FROM skylark.links", "INSERT INTO skylark.links SELECT namespace_id, '" WEB "', '" DB "', 'x' FROM skylark.services WHERE name = 'web'",
         "UPDATE skylark.services SET deleted_at = now() WHERE name = 'db'"},
        /* AUTO, and no settings any more */
        {"SELECT 1", "UPDATE skylark.services SET scaling_mode = 'AUTO' WHERE name = 'api'",
         "DELETE FROM skylark.autoscaling_settings WHERE service_id = '" API "'"},
        {"SELECT 1", "DELETE FROM skylark.autoscaling_settings WHERE service_id = '" API "'",
         "UPDATE skylark.services SET scaling_mode = 'AUTO' WHERE name = 'api'"},
    };
    PGconn *one = dba(), *two = dba(), *looker = dba();
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[1200];
        fixture(one);
        CHECK(sql_run(one, "%s", pairs[i].before)[0] == '\0', "%s", PQerrorMessage(one));
        /* The first has passed its checks and is not committed. */
        CHECK(sql_run(one, "BEGIN; %s; SET CONSTRAINTS ALL IMMEDIATE", pairs[i].first)[0] == '\0', "%s: %s", pairs[i].first, PQerrorMessage(one));
        /* The second goes as far as it can. */
        snprintf(text, sizeof text, "BEGIN; %s; SET CONSTRAINTS ALL IMMEDIATE", pairs[i].second);
        CHECK(PQsendQuery(two, text) == 1, "%s", PQerrorMessage(two));
        bool stands = false;
        for (int k = 0; k < 600 && !stands; k++) {
            stands = strcmp(sql_value(looker, "SELECT state LIKE 'idle in transaction%%' OR wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %d",
                                      PQbackendPID(two)), "t") == 0;
            usleep(50 * 1000);
        }
        CHECK(stands, "%s neither waits nor ends", pairs[i].second);
        CHECK(sql_run(one, "COMMIT")[0] == '\0', "%s: %s", pairs[i].first, PQerrorMessage(one));
        bool refused = false;
        for (PGresult *r; (r = PQgetResult(two)) != NULL; PQclear(r))
            refused = refused || PQresultStatus(r) == PGRES_FATAL_ERROR;
        refused = refused || sql_run(two, "COMMIT")[0] != '\0';
        sql_run(two, "ROLLBACK");
        CHECK(refused, "%s and %s at once", pairs[i].first, pairs[i].second);
    }
    PQfinish(looker);
    /* A snapshot that is older than the other's link would not show the circle. */
    fixture(one);
    sql_run(two, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM skylark.links");
    CHECK(sql_run(one, "%s", pairs[0].first)[0] == '\0', "%s", PQerrorMessage(one));
    CHECK(sql_run(two, "%s; COMMIT", pairs[0].second)[0] != '\0', "a circle through an old snapshot");
    sql_run(two, "ROLLBACK");
    PQfinish(one);
    PQfinish(two);
}

/* Deleted by hand as by the API: names and links are free at once, the deployer that holds it removes the row. */
static void test_deleted(void)
{
    PGconn *c = dba();
    fixture(c);
    CHECK(sql_run(c, "DELETE FROM skylark.links WHERE service_id = '" API "'; UPDATE skylark.services SET deleted_at = now() WHERE name = 'web'")[0] == '\0',
          "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.custom_domains"), "0") == 0, "its domain name is held");
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.links"), "0") == 0, "its links are held");
    PGconn *deployer = sql_connect("by_hand", "skylark_deployer");
    CHECK(sql_run(deployer, "DELETE FROM skylark.services WHERE name = 'web'")[0] != '\0', "removed without a lease");
    CHECK(sql_run(deployer, "UPDATE skylark.reconcile_queue SET lease_owner = 'd', lease_until = now() + interval '1 minute' "
                            "WHERE service_id = '" WEB "'")[0] == '\0', "%s", PQerrorMessage(deployer));
    CHECK(sql_run(deployer, "DELETE FROM skylark.services WHERE name = 'web'")[0] == '\0', "%s", PQerrorMessage(deployer));
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.instances WHERE service_id = '" WEB "'"), "0") == 0, "its instances stayed");
    PQfinish(deployer);
    PQfinish(c);
}

/* Should it come to it all the same, whoever needs the installation's row says that it is not there, and lives. */
static void test_no_installation(void)
{
    PGconn *c = dba();
    fixture(c);
    CHECK(sql_run(c, "ALTER TABLE skylark.installation DISABLE TRIGGER installation_delete_guard; CREATE TABLE kept AS SELECT * FROM skylark.installation; "
                     "DELETE FROM skylark.installation")[0] == '\0', "%s", PQerrorMessage(c));
    char conninfo[300];
    snprintf(conninfo, sizeof conninfo, "%s dbname=by_hand", getenv("SKYLARK_TEST_PG"));
    struct db_options options = {.conninfo = conninfo, .application_name = "test", .statements = api_statements, .n_statements = API__MAX,
                                 .connect_deadline_ms = 30000, .query_deadline_ms = 30000};
    struct db *db = db_create(&options);
    PGresult *r;
    CHECK(db_run(db, API_INSTALLATION_GET, NULL, &r) == DB_FAILED && r == NULL, "no row, and no error");
    CHECK(strstr(db_message(db), "api/installation_get returned 0 rows") != NULL, "%s", db_message(db));
    db_free(db);
    CHECK(sql_run(c, "INSERT INTO skylark.installation SELECT * FROM kept; DROP TABLE kept; "
                     "ALTER TABLE skylark.installation ENABLE TRIGGER installation_delete_guard")[0] == '\0', "%s", PQerrorMessage(c));
    PQfinish(c);
}

const struct check_test tests_by_hand[] = {
    {"every column", test_columns},
    {"no column without a row", test_complete},
    {"INSERT, DELETE and TRUNCATE", test_tables},
    {"an old pull is no new one", test_pull_is_older},
    {"who links to it", test_linking},
    {"what only two transactions together break", test_at_once},
    {"a service deleted by hand", test_deleted},
    {"without the installation's row", test_no_installation},
    {NULL, NULL},
};
