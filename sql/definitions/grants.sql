-- What each role may do. Every right that was given is taken back before the definitions are applied, so that
-- these are all there are. is_host_name is in constraints, which an UPDATE of any column checks.
-- after: autoscaling documents endpoints guards instances logins logs overviews quotas retention roles rules schema services status tenancy times

REVOKE ALL ON SCHEMA skylark FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA skylark FROM PUBLIC;

GRANT USAGE ON SCHEMA skylark TO skylark_api, skylark_deployer, skylark_collector, skylark_dba;
GRANT SELECT ON skylark.schema_migrations, skylark.schema_definitions, skylark.installation
    TO skylark_api, skylark_deployer, skylark_collector, skylark_dba;
GRANT SELECT ON skylark.namespaces, skylark.memberships TO skylark_api, skylark_dba;
GRANT SELECT ON skylark.namespaces TO skylark_deployer;
GRANT UPDATE (engine_id, engine_recorded_at) ON skylark.installation TO skylark_deployer;
GRANT SELECT (id, kind, password_changed_at, disabled_at) ON skylark.users TO skylark_api, skylark_dba;
GRANT SELECT ON skylark.api_tokens TO skylark_api;
GRANT UPDATE (last_used_at) ON skylark.api_tokens TO skylark_api;
GRANT SELECT (id, user_id, token_prefix, scope, description, created_at, expires_at, idle_limit, by_login, revoked_at, last_used_at)
    ON skylark.api_tokens TO skylark_dba;
GRANT SELECT ON skylark.login_failures, skylark.login_totals, skylark.login_addresses TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.access, skylark.login_attempt, skylark.login_succeeded, skylark.token_issue TO skylark_api;
GRANT EXECUTE ON FUNCTION skylark.token_ends_at TO skylark_api, skylark_dba;
GRANT SELECT ON skylark.quotas, skylark.quotas_overview TO skylark_api, skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.quota_used, skylark.quota_maximum TO skylark_api, skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.quota_grant TO skylark_autoscaler;
GRANT SELECT ON skylark.volume_slots TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.tokens_prune, skylark.logins_prune TO skylark_collector;
GRANT EXECUTE ON FUNCTION skylark.is_host_name TO skylark_api, skylark_deployer, skylark_collector, skylark_dba;
GRANT SELECT ON skylark.instance_sizes, skylark.services, skylark.envvars, skylark.ports, skylark.volumes,
    skylark.links, skylark.autoscaling_settings TO skylark_api, skylark_deployer, skylark_dba;
GRANT INSERT ON skylark.services TO skylark_api;
GRANT UPDATE (image_name, image_tag, run_command, instance_size, scaling_mode, target_state,
    target_num_instances, updated_at, deleted_at) ON skylark.services TO skylark_api;
GRANT INSERT, UPDATE, DELETE ON skylark.envvars, skylark.ports, skylark.volumes, skylark.links,
    skylark.autoscaling_settings TO skylark_api;
GRANT DELETE ON skylark.services TO skylark_deployer;
GRANT SELECT ON skylark.reconcile_queue, skylark.service_status, skylark.instances, skylark.engines,
    skylark.image_pulls, skylark.events TO skylark_api, skylark_deployer, skylark_dba;
GRANT SELECT ON skylark.instances, skylark.engines TO skylark_collector;
GRANT INSERT ON skylark.wakes TO skylark_deployer, skylark_collector, skylark_router;
GRANT SELECT ON skylark.wakes TO skylark_deployer, skylark_dba;
GRANT UPDATE, DELETE ON skylark.wakes TO skylark_deployer;
GRANT UPDATE ON skylark.reconcile_queue TO skylark_deployer;
GRANT INSERT, UPDATE ON skylark.service_status, skylark.instances, skylark.engines TO skylark_deployer;
GRANT INSERT, UPDATE, DELETE ON skylark.image_pulls TO skylark_deployer;
GRANT INSERT ON skylark.events TO skylark_api, skylark_deployer;
GRANT SELECT ON skylark.log_rows, skylark.log_positions TO skylark_api, skylark_deployer, skylark_collector, skylark_dba;
GRANT INSERT ON skylark.log_rows TO skylark_collector;
GRANT INSERT, UPDATE ON skylark.log_positions TO skylark_collector;
GRANT EXECUTE ON FUNCTION skylark.instances_hold TO skylark_collector;
GRANT EXECUTE ON FUNCTION skylark.iso_time TO skylark_api, skylark_deployer, skylark_collector, skylark_dba;
GRANT SELECT ON skylark.engine_trouble, skylark.service_states, skylark.service_documents,
    skylark.instance_documents TO skylark_api, skylark_dba;
GRANT SELECT ON skylark.services_overview, skylark.instances_overview, skylark.busiest_log_writers,
    skylark.table_sizes TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.partitions_missing, skylark.partition_make, skylark.partitions_expired, skylark.partition_drop,
    skylark.partition_later_move, skylark.history_prune TO skylark_collector;
GRANT EXECUTE ON FUNCTION skylark.is_host_name, skylark.autoscaling_decide, skylark.autoscaling_next_due TO skylark_autoscaler;
GRANT EXECUTE ON FUNCTION skylark.autoscaling_decide, skylark.autoscaling_next_due TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.autoscaling_message, skylark.autoscaling_config, skylark.object_text TO skylark_api, skylark_dba;
GRANT USAGE ON SCHEMA skylark TO skylark_autoscaler;
GRANT SELECT ON skylark.schema_migrations, skylark.schema_definitions, skylark.namespaces, skylark.services, skylark.autoscaling_settings,
    skylark.service_status, skylark.instances, skylark.metric_samples,
    skylark.autoscaling_queue, skylark.autoscaling_decisions TO skylark_autoscaler;
GRANT UPDATE (target_num_instances, last_autoscaled_at) ON skylark.services TO skylark_autoscaler;
GRANT UPDATE ON skylark.autoscaling_queue TO skylark_autoscaler;
GRANT INSERT ON skylark.autoscaling_decisions, skylark.events TO skylark_autoscaler;
GRANT INSERT ON skylark.metric_samples TO skylark_collector;
GRANT SELECT ON skylark.metric_samples, skylark.autoscaling_queue, skylark.autoscaling_decisions
    TO skylark_api, skylark_dba;
GRANT SELECT ON skylark.autoscaling_overview, skylark.metrics_overview TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.endpoint_domain, skylark.port_document TO skylark_api, skylark_router, skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.is_host_name TO skylark_router;
GRANT SELECT ON skylark.custom_domains, skylark.volume_types, skylark.instance_ports, skylark.fronts, skylark.live_fronts
    TO skylark_api, skylark_deployer, skylark_dba;
GRANT SELECT ON skylark.endpoints_overview TO skylark_dba;
GRANT INSERT, UPDATE, DELETE ON skylark.custom_domains TO skylark_api;
GRANT INSERT, UPDATE ON skylark.instance_ports TO skylark_deployer;
GRANT USAGE ON SCHEMA skylark TO skylark_router;
GRANT SELECT ON skylark.schema_migrations, skylark.schema_definitions, skylark.installation, skylark.namespaces, skylark.services, skylark.ports,
    skylark.custom_domains, skylark.instances, skylark.instance_ports, skylark.fronts TO skylark_router;
GRANT INSERT, UPDATE ON skylark.fronts TO skylark_router;
GRANT SELECT ON skylark.kept_volumes, skylark.front_state TO skylark_api, skylark_deployer, skylark_dba;
GRANT INSERT ON skylark.kept_volumes TO skylark_deployer;
GRANT EXECUTE ON FUNCTION skylark.is_apart TO skylark_deployer, skylark_dba;
GRANT SELECT ON skylark.schema_objects, skylark.schema_differences, skylark.role_settings, skylark.role_setting_differences
    TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.schema_found TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.are_host_names TO skylark_deployer;
