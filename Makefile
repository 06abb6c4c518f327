# Skylark. `make help` lists the targets. Dependencies are installed by `make run` and `make check`
# (local/deps.sh); `make all` alone only builds.

# SAN=1 builds everything with AddressSanitizer and UBSan, in a folder of its own.
B := $(if $(SAN),build-san,build)
G := $(B)/gen

CC ?= cc
PACKAGES := libpq json-c libcurl uuid libsodium libmicrohttpd libssl libcrypto
CPPFLAGS := -D_GNU_SOURCE -I. -I$(B) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS := -std=c17 -O2 -g -Wall -Wextra -Wshadow -Werror -fstack-protector-strong -pthread
LDFLAGS := -Wl,--as-needed
LDLIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lfcgi -lm
ifdef SAN
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

COMMON := aside buf clock config config_command config_value connection db db_cancel db_condition db_copy db_result db_session db_stream \
          db_transaction listen_address log loop metrics metrics_http pace secret \
          shellwords signals supervisor systemd utf8
ENGINE := docker docker_body docker_container docker_image docker_log docker_network docker_pull docker_stream docker_usage
API := address arena checks dispatch fields form handle_document handle_health handle_list handle_logs handle_points handle_scaling \
       handle_service handle_token http_metrics json_read json_space link listen log_cursor log_page main problem query_check reference \
       request route service_fields service_write settings slots worker
DEPLOYER := container figures lease main networks observe plan probe puller reconcile reconciler role service settings strays watcher
AUTOSCALER := evaluate main settings
COLLECTOR := assemble batch days figures follower main maintain rate resume right sampler settings
ROUTER := certificate drain figures front main render router settings values
CTL := doctor installation main migrate namespaces output quotas status tokens users volume_types

PROGRAMS := $(addprefix $(B)/,skylark-api skylark-autoscaler skylark-deployer skylark-collector skylark-router skylarkctl)

common_objects := $(COMMON:%=$(B)/common/%.o) $(G)/common_statements.o $(G)/schema.o
engine_objects := $(ENGINE:%=$(B)/engine/%.o)
api_objects := $(API:%=$(B)/fcgi/%.o) $(G)/api_statements.o
autoscaler_objects := $(AUTOSCALER:%=$(B)/autoscaler/%.o) $(G)/autoscaler_statements.o
deployer_objects := $(DEPLOYER:%=$(B)/deployer/%.o) $(G)/deployer_statements.o
collector_objects := $(COLLECTOR:%=$(B)/collector/%.o) $(G)/collector_statements.o
router_objects := $(ROUTER:%=$(B)/router/%.o) $(G)/router_statements.o
ctl_objects := $(CTL:%=$(B)/ctl/%.o) $(G)/ctl_statements.o

all: $(PROGRAMS) ## build the programs

$(B)/skylark-api: $(api_objects) $(common_objects)
$(B)/skylark-autoscaler: $(autoscaler_objects) $(common_objects)
$(B)/skylark-deployer: $(deployer_objects) $(engine_objects) $(common_objects)
$(B)/skylark-collector: $(collector_objects) $(engine_objects) $(common_objects)
$(B)/skylark-router: $(router_objects) $(common_objects)
$(B)/skylarkctl: $(ctl_objects) $(common_objects)
$(PROGRAMS):
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Every object may include generated headers, so those come first.
generated := $(foreach p,common api autoscaler deployer collector router ctl,$(G)/$(p)_statements.c) $(G)/schema.c
$(B)/%.o: %.c | $(generated)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(G)/%.o: $(G)/%.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(G)/%_statements.c $(G)/%_statements.h: sql/embed.sh $(wildcard sql/queries/*/*.sql)
	@mkdir -p $(@D)
	sql/embed.sh statements $(shell echo $* | tr a-z A-Z) sql/queries/$* $* $(G)/$*_statements
$(G)/schema.c $(G)/schema.h &: sql/embed.sh $(wildcard sql/*.sql sql/tables/*.sql sql/definitions/*.sql) sql/tables sql/definitions
	@mkdir -p $(@D)
	sql/embed.sh schema $(G)/schema

# The unit tests link all that is pure, and no main().
UNIT := \
    access \
    arena \
    check \
    collector \
    condition \
    config \
    docker \
    fields \
    form \
    fuzz \
    json_read \
    json_space \
    log_cursor \
    metrics \
    nginx \
    pace \
    plan \
    problem \
    query \
    reference \
    route \
    router \
    statement_use \
    text
unit_objects := $(UNIT:%=$(B)/tests/unit/test_%.o) $(B)/tests/unit/main.o $(B)/tests/lib/check.o \
                $(filter-out $(B)/fcgi/main.o,$(api_objects)) $(engine_objects) \
                $(addprefix $(B)/,deployer/plan.o collector/assemble.o collector/batch.o collector/days.o collector/rate.o collector/resume.o \
                  router/certificate.o router/drain.o router/render.o router/values.o) \
                $(G)/collector_statements.o $(common_objects)
$(B)/tests/unit/run: $(unit_objects)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

# What forks: waiting for signals, the master and its children, the FastCGI listener.
PROCESS_TESTS := \
    main \
    test_listen \
    test_listener \
    test_signals \
    test_supervisor
$(B)/tests/process/run: $(PROCESS_TESTS:%=$(B)/tests/process/%.o) $(B)/tests/lib/check.o $(filter-out $(B)/fcgi/main.o,$(api_objects)) $(common_objects)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit

# Those that speak HTTP to a whole Skylark (tests/check.sh brings it up).
HTTP_TESTS := \
    test_auth \
    test_bad_input \
    test_endpoints \
    test_forms \
    test_front \
    test_list \
    test_logs \
    test_lookup \
    test_quotas \
    test_readers \
    test_routes \
    test_scaling \
    test_seed \
    test_settings \
    main
E2E_TESTS := \
    e2e \
    looks \
    main \
    test_autoscaling \
    test_demo \
    test_endpoints \
    test_idle \
    test_killed \
    test_lifecycle \
    test_links \
    test_locks \
    test_metrics \
    test_routes \
    test_secrets \
    test_strays \
    test_trouble \
    test_volumes
test_library := $(patsubst %,$(B)/tests/lib/%.o,api check engine http net world)
$(B)/tests/http/run: $(HTTP_TESTS:%=$(B)/tests/http/%.o) $(patsubst %,$(B)/%.o,tests/lib/fastcgi common/buf common/utf8) $(test_library)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit
$(B)/tests/e2e/run: $(E2E_TESTS:%=$(B)/tests/e2e/%.o) $(B)/tests/lib/load.o $(B)/tests/lib/orders.o $(test_library) $(patsubst %,$(B)/common/%.o,buf db_result utf8)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit
# Requests built to be expensive, one for each row of the API's tables, which it links.
$(B)/tests/hostile/run: $(patsubst %,$(B)/tests/hostile/%.o,bodies cost main test_bodies test_fields) $(test_library) \
                        $(filter-out $(B)/fcgi/main.o,$(api_objects)) $(common_objects)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit
# The schema and every statement, against PostgreSQL.
SQL_TESTS := \
    main \
    test_autoscaling \
    test_by_hand \
    test_documents \
    test_endpoints \
    test_locks \
    test_logins \
    test_logs \
    test_migrate \
    test_quotas \
    test_retention \
    test_rights \
    test_rules \
    test_statements \
    test_status
sql_test_objects := $(SQL_TESTS:%=$(B)/tests/sql/%.o)
$(B)/tests/sql/run: $(sql_test_objects) $(patsubst %,$(B)/collector/%.o,batch days maintain) $(B)/tests/lib/check.o $(B)/tests/lib/sql.o $(common_objects) \
                    $(patsubst %,$(G)/%_statements.o,api autoscaler collector ctl deployer router)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit
# Connections and skylark-api as a process, against PostgreSQL that is locked, stopped, restarted.
DATABASE_TESTS := main test_api test_bounds test_connect
$(B)/tests/database/run: $(DATABASE_TESTS:%=$(B)/tests/database/%.o) $(patsubst %,$(B)/tests/lib/%.o,check fastcgi sql) \
                         $(filter-out $(B)/fcgi/main.o,$(api_objects)) $(common_objects)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit
# The autoscaler as a process, against PostgreSQL, and killed again and again.
$(B)/tests/autoscaler/run: $(B)/tests/autoscaler/main.o $(B)/tests/lib/check.o $(B)/tests/lib/sql.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit
# The autoscaler's statement under a fake clock, over simulated days of traffic.
$(B)/tests/simulate/run: $(patsubst %,$(B)/tests/simulate/%.o,load main scenarios simulate) \
                         $(B)/tests/lib/check.o $(B)/tests/lib/sql.o $(common_objects) \
                         $(G)/autoscaler_statements.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcunit
# The client of bench/routes.sh.
$(B)/bench/load: $(B)/bench/load.o $(B)/tests/lib/load.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
check-programs: $(B)/tests/unit/run $(B)/tests/database/run $(B)/tests/process/run $(B)/tests/sql/run $(B)/tests/autoscaler/run $(B)/tests/simulate/run $(B)/tests/hostile/run $(B)/tests/http/run $(B)/tests/e2e/run

run: ## install what is missing, build, bring everything up under var/, deploy a demo service
	local/run
stop: ## end what run started, and only that
	local/stop
status: ## show each process, the services and their instances
	local/status

deps: ## install what is missing to build, run and test
	local/deps.sh run check
install: all ## install under DESTDIR and PREFIX (/usr/local)
	DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" B="$(B)" local/install.sh

check: ## install what is missing, build, pass all tests
	SAN=$(SAN) tests/check.sh
bench: all ## measure, as ratios within one run; BENCH="api autoscaler metrics routes" to choose
	bench/run.sh $(BENCH)

clean: ## remove what was built
	rm -rf build build-san
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: all run stop status deps install check check-programs bench clean help
.SECONDARY: $(generated)
.DELETE_ON_ERROR:

-include $(shell find $(B) -name '*.d' 2>/dev/null)
