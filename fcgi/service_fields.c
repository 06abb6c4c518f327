/* The fields of a service in POST and PUT. */
#include "fcgi/service_fields.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *const sizes[] = {"XXS", "XS", "S", "M", "L", "XL", NULL};
static const char *const modes[] = {"MANUAL", "AUTO", NULL};
static const char *const states[] = {"STARTED", "STOPPED", NULL};
static const char *const protocols[] = {"tcp", "udp", NULL};
static const char *const endpoints[] = {"tcp-endpoint", "http-endpoint", "direct-endpoint", "internal-endpoint", NULL};
static const char *const metrics[] = {"CPU_UTILIZATION", "MEMORY_UTILIZATION", "NETWORK_IN", "NETWORK_OUT", NULL};
static const char *const stats[] = {"MEAN", "MAX", "MIN", NULL};

static const struct field port_fields[] = {
    {.name = "container_port", .type = FIELD_INTEGER, .required = true, .min = 1, .max = 65535,
     .help = "Port that the instance listens on."},
    {.name = "protocol", .type = FIELD_CHOICE, .choices = protocols, .fallback = "\"tcp\"",
     .help = "Protocol of the port."},
    {.name = "endpoint_type", .type = FIELD_CHOICE, .choices = endpoints, .fallback = "\"tcp-endpoint\"",
     .help = "How the port is reached."},
};

static const struct field volume_fields[] = {
    {.name = "app_volume_dir", .type = FIELD_TEXT, .required = true, .check = check_volume_dir,
     .help = "Where the volume is mounted in the instance."},
    {.name = "volume_type", .type = FIELD_TEXT, .fallback = "\"EBS\"", .check = check_volume_type,
     .help = "Kind of volume."},
    {.name = "size_gb", .type = FIELD_INTEGER, .required = true, .min = 1, .max = 65536, .help = "Size in GiB."},
    {.name = "backup_id", .type = FIELD_IGNORED, .refusal = "must be null: there are no backups that a volume could be made of",
     .help = "Null, or absent."},
};

static const struct field autoscaling_fields[] = {
    {.name = "metric_name", .type = FIELD_CHOICE, .required = true, .choices = metrics, .help = "What is measured."},
    {.name = "metric_stat", .type = FIELD_CHOICE, .choices = stats, .fallback = "\"MEAN\"",
     .help = "How the samples of a window become one figure."},
    {.name = "upper_threshold", .type = FIELD_NUMBER, .required = true, .min = 0, .max = 1e15,
     .help = "Above it instances are added. A fraction of the limit, or bytes per second."},
    {.name = "lower_threshold", .type = FIELD_NUMBER, .required = true, .min = 0, .max = 1e15,
     .help = "Below it instances are taken away."},
    {.name = "increase_delta", .type = FIELD_INTEGER, .fallback = "1", .min = 1, .max = 1000,
     .help = "Instances added at a time."},
    {.name = "decrease_delta", .type = FIELD_INTEGER, .fallback = "1", .min = 1, .max = 1000,
     .help = "Instances taken away at a time."},
    {.name = "minimum_num_instances", .type = FIELD_INTEGER, .required = true, .min = 0, .max = 1000,
     .help = "Never fewer instances."},
    {.name = "maximum_num_instances", .type = FIELD_INTEGER, .required = true, .min = 1, .max = 1000,
     .help = "Never more instances."},
    {.name = "wait_period", .type = FIELD_INTEGER, .fallback = "60", .min = 1, .max = 86400,
     .help = "Seconds between two actions, and length of the metric's window."},
    {.name = "scale_up_wait_period", .type = FIELD_INTEGER, .min = 1, .max = 86400,
     .help = "Seconds between an action and adding instances; `wait_period` when absent."},
    {.name = "scale_down_wait_period", .type = FIELD_INTEGER, .min = 1, .max = 86400,
     .help = "Seconds between an action and taking instances away; `wait_period` when absent."},
    {.name = "stabilization_window", .type = FIELD_INTEGER, .fallback = "0", .max = 86400,
     .help = "The count falls no lower than the largest count recommended in these last seconds."},
    {.name = "dry_run", .type = FIELD_BOOLEAN, .fallback = "false",
     .help = "Decide and record, and change nothing."},
};

const struct field service_fields[] = {
    {.name = "service_name", .type = FIELD_TEXT, .required = true, .check = check_service_name,
     .help = "Name of the service; can't be changed later."},
    {.name = "app_name", .type = FIELD_TEXT, .check = check_service_name, .alias_of = "service_name",
     .help = "Another name for service_name."},
    {.name = "namespace", .type = FIELD_TEXT, .max = 255, .help = "The URL's namespace, if given."},
    {.name = "region_name", .type = FIELD_TEXT, .max = 255,
     .help = "Ignored; with the setting `strict_region` this installation's region, if given."},
    {.name = "application", .type = FIELD_IGNORED, .help = "Ignored."},
    {.name = "current_state", .type = FIELD_IGNORED, .help = "Ignored."},
    {.name = "linked_from_apps", .type = FIELD_IGNORED, .help = "Ignored: links are set where they begin."},
    {.name = "image_name", .type = FIELD_TEXT, .required = true, .check = check_image_name,
     .help = "Image, without its tag."},
    {.name = "image_tag", .type = FIELD_TEXT, .fallback = "\"latest\"", .check = check_image_tag,
     .help = "Tag of the image."},
    {.name = "run_command", .type = FIELD_TEXT, .fallback = "\"\"", .max = 8192, .check = check_run_command,
     .help = "Command in the place of the image's own, in words quoted as a shell would; never run through a shell."},
    {.name = "instance_size", .type = FIELD_CHOICE, .choices = sizes, .fallback = "\"XS\"",
     .help = "CPU and memory of each instance."},
    {.name = "scaling_mode", .type = FIELD_CHOICE, .choices = modes, .fallback = "\"MANUAL\"",
     .help = "Who sets target_num_instances: the user, or the autoscaler."},
    {.name = "target_state", .type = FIELD_CHOICE, .choices = states, .fallback = "\"STARTED\"",
     .help = "Whether it is to run."},
    {.name = "target_num_instances", .type = FIELD_INTEGER, .fallback = "1", .min = 0, .max = 1000,
     .help = "How many instances are to run. On update of a service whose mode is AUTO it must be in its range."},
    {.name = "custom_domain_name", .type = FIELD_TEXT, .fallback = "\"\"", .max = 20 * 256, .check = check_host_names, .lower_case = true,
     .help = "The user's own host names for the service, up to 20, separated by commas; empty for none."},
    {.name = "instance_envvars", .type = FIELD_MAP, .fallback = "{}", .max = 1000, .key_check = check_envvar_name,
     .help = "Environment of the instances. On update it replaces the whole. `__DEFAULT_DOMAIN_NAME__` is Skylark's own, and ignored."},
    {.name = "instance_ports", .type = FIELD_ARRAY, .fallback = "[]", .max = 100, .fields = port_fields,
     .n_fields = COUNT(port_fields), .help = "Ports of the instances. On update it replaces the whole."},
    {.name = "autoscaling_config", .type = FIELD_OBJECT, .fallback = "{}", .fields = autoscaling_fields,
     .n_fields = COUNT(autoscaling_fields), .help = "Thresholds for scaling_mode AUTO."},
    {.name = "volumes", .type = FIELD_ARRAY, .fallback = "[]", .max = 50, .fields = volume_fields,
     .n_fields = COUNT(volume_fields), .help = "Volumes of each instance. On update it replaces the whole."},
    {.name = "linked_to_apps", .type = FIELD_MAP, .fallback = "{}", .max = 100, .key_check = check_service_name,
     .check = check_alias, .help = "Services of the namespace that the instances reach, and by what alias."},
};
const size_t service_n_fields = COUNT(service_fields);

const char *service_fields_text(struct json_object *checked, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(checked, name, &value) ? json_object_get_string(value) : NULL;
}

static double number_of(struct json_object *object, const char *name, double absent)
{
    struct json_object *value;
    return json_object_object_get_ex(object, name, &value) ? json_object_get_double(value) : absent;
}

static void check_equal(struct json_object *checked, const char *field, const char *expected, struct problem *problem)
{
    const char *given = service_fields_text(checked, field);
    if (given != NULL && expected != NULL && strcmp(given, expected) != 0)
        problem_add(problem, field, "must be \"%s\" here, or absent", expected);
}

/* Adds a text that two entries have in common only if they are equal in all the keys given. Returns false when a key is
 * missing. */
static bool entry_text(struct json_object *entry, const char *const *keys, struct buf *text)
{
    for (size_t k = 0; keys[k] != NULL; k++) {
        const char *value = service_fields_text(entry, keys[k]);
        if (value == NULL)
            return false;
        buf_addf(text, "%s\n", value); /* no value that was checked has a line end */
    }
    return true;
}

/* Notes that a text belongs to entry number i. Returns the number of an earlier entry that has it, or i. */
static size_t first_with(struct json_object *seen, const char *text, size_t i)
{
    struct json_object *first;
    if (json_object_object_get_ex(seen, text, &first))
        return (size_t)json_object_get_int64(first);
    json_object_object_add(seen, text, json_object_new_int64((int64_t)i));
    return i;
}

/* Reports entries of an array that equal an earlier one in all the keys given. */
static void check_distinct(struct json_object *checked, const char *array, const char *const *keys,
                           struct problem *problem)
{
    struct json_object *entries;
    if (!json_object_object_get_ex(checked, array, &entries))
        return;
    struct json_object *seen = json_object_new_object();
    struct buf text = {0};
    for (size_t i = 0; i < json_object_array_length(entries) && !problem_full(problem); i++) {
        buf_clear(&text);
        if (!entry_text(json_object_array_get_idx(entries, i), keys, &text))
            continue;
        size_t first = first_with(seen, buf_text(&text), i);
        if (first != i) {
            char place[64];
            snprintf(place, sizeof place, "%s[%zu]", array, i);
            problem_add(problem, place, "says the same as entry %zu", first);
        }
    }
    buf_free(&text);
    json_object_put(seen);
}

static void check_ports(struct json_object *checked, struct problem *problem)
{
    static const char *const keys[] = {"container_port", "protocol", "endpoint_type", NULL};
    check_distinct(checked, "instance_ports", keys, problem);
    struct json_object *ports;
    if (!json_object_object_get_ex(checked, "instance_ports", &ports))
        return;
    for (size_t i = 0; i < json_object_array_length(ports); i++) {
        struct json_object *port = json_object_array_get_idx(ports, i);
        const char *protocol = service_fields_text(port, "protocol"), *type = service_fields_text(port, "endpoint_type");
        if (protocol != NULL && type != NULL && strcmp(type, "http-endpoint") == 0 && strcmp(protocol, "tcp") != 0) {
            char place[64];
            snprintf(place, sizeof place, "instance_ports[%zu].protocol", i);
            problem_add(problem, place, "must be tcp for an http-endpoint");
        }
    }
}

/* A new service that is AUTO needs thresholds; of one that is there, see service_write_check. */
static void check_thresholds_given(struct json_object *checked, struct problem *problem)
{
    struct json_object *config;
    const char *mode = service_fields_text(checked, "scaling_mode");
    if (mode != NULL && strcmp(mode, "AUTO") == 0 && json_object_object_get_ex(checked, "autoscaling_config", &config) &&
        json_object_object_length(config) == 0)
        problem_add(problem, "autoscaling_config", "must be given while scaling_mode is AUTO");
}

static void check_autoscaling(struct json_object *checked, struct problem *problem)
{
    struct json_object *config;
    if (!json_object_object_get_ex(checked, "autoscaling_config", &config) || json_object_object_length(config) == 0)
        return;
    double lower = number_of(config, "lower_threshold", -1), upper = number_of(config, "upper_threshold", 2e15);
    if (lower >= upper)
        problem_add(problem, "autoscaling_config.lower_threshold", "must be less than upper_threshold");
    const char *metric = service_fields_text(config, "metric_name");
    if (metric != NULL && strstr(metric, "_UTILIZATION") != NULL && upper > 1 && upper < 2e15)
        problem_add(problem, "autoscaling_config.upper_threshold", "must be from 0 to 1 for %s", metric);
    if (number_of(config, "minimum_num_instances", 0) > number_of(config, "maximum_num_instances", 1000))
        problem_add(problem, "autoscaling_config.minimum_num_instances",
                    "must not be more than maximum_num_instances");
}

/* The name that an alias gives to environment variables: those of a-b and A_B are the same. */
static void variable_name(const char *alias, struct buf *out)
{
    for (; *alias != '\0'; alias++)
        buf_addc(out, *alias == '-' ? '_' : (char)toupper((unsigned char)*alias));
}

static void check_links(struct json_object *checked, const char *service_name, struct problem *problem)
{
    struct json_object *links, *first;
    if (!json_object_object_get_ex(checked, "linked_to_apps", &links))
        return;
    const char *own = service_name != NULL ? service_name : service_fields_text(checked, "service_name");
    struct json_object *seen = json_object_new_object(); /* variable name: service */
    struct buf variable = {0};
    json_object_object_foreach(links, name, alias)
    {
        char place[128];
        snprintf(place, sizeof place, "linked_to_apps.%s", name);
        if (own != NULL && strcmp(own, name) == 0)
            problem_add(problem, place, "must not be the service itself");
        buf_clear(&variable);
        variable_name(json_object_get_string(alias), &variable);
        if (json_object_object_get_ex(seen, buf_text(&variable), &first))
            problem_add(problem, place, "has the same alias as %s, or one that makes the same environment variables",
                        json_object_get_string(first));
        else
            json_object_object_add(seen, buf_text(&variable), json_object_new_string(name));
    }
    buf_free(&variable);
    json_object_put(seen);
}

static bool list_has(const char *list, const char *name, size_t len)
{
    size_t n;
    for (const char *at = list; at != NULL;) {
        const char *element = check_list_next(&at, &n);
        if (n == len && strncasecmp(element, name, n) == 0)
            return true;
    }
    return false;
}

static void check_domains_once(struct json_object *checked, struct problem *problem)
{
    const char *domains = service_fields_text(checked, "custom_domain_name");
    size_t len;
    for (const char *at = domains; at != NULL;) {
        const char *name = check_list_next(&at, &len);
        if (at != NULL && list_has(at, name, len))
            problem_add(problem, "custom_domain_name", "names %.*s twice", (int)len, name);
    }
}

/* Below the base domain are the default names of everybody's services; and whoever took a name by which people reach the
 * API itself would get their tokens. */
static void check_domains_allowed(struct json_object *checked, const struct service_place *place, struct problem *problem)
{
    const char *domains = service_fields_text(checked, "custom_domain_name"), *base_domain = place->base_domain;
    size_t base = strlen(base_domain), len;
    for (const char *at = domains; at != NULL;) {
        const char *name = check_list_next(&at, &len);
        if (len >= base && strncmp(name + len - base, base_domain, base) == 0 && (len == base || name[len - base - 1] == '.'))
            problem_add(problem, "custom_domain_name", "must not be %s or below it: those names are Skylark's own", base_domain);
        else if (len > 0 && (list_has(place->host_names, name, len) || list_has(place->request_host, name, len)))
            problem_add(problem, "custom_domain_name", "must not be %.*s: that is where Skylark itself is reached", (int)len, name);
    }
}

void service_fields_check_rules(struct json_object *checked, const char *namespace_name, const char *service_name,
                                struct problem *problem)
{
    static const char *const volume_keys[] = {"app_volume_dir", NULL};
    check_equal(checked, "namespace", namespace_name, problem);
    check_equal(checked, "service_name", service_name, problem);
    check_distinct(checked, "volumes", volume_keys, problem);
    check_ports(checked, problem);
    check_autoscaling(checked, problem);
    if (service_name == NULL)
        check_thresholds_given(checked, problem);
    check_links(checked, service_name, problem);
    check_domains_once(checked, problem);
    const char *name = service_fields_text(checked, "service_name");
    if (name != NULL && strlen(name) + 1 + strlen(namespace_name) > 63)
        problem_add(problem, "service_name", "must have at most %zu characters in this namespace, since its domain name is "
                    "{service_name}-%s", 62 - strlen(namespace_name), namespace_name);
}

void service_fields_check_place(struct json_object *checked, const struct service_place *place, struct problem *problem)
{
    check_equal(checked, "region_name", place->region_name, problem);
    check_domains_allowed(checked, place, problem);
}
