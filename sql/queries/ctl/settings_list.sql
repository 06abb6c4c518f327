-- What is true of the installation as a whole.
-- columns: id, base_domain, region_name, region_iaas, service_ports, front_address, host_names, engine_id
SELECT id, base_domain, region_name, region_iaas, service_port_first || '-' || service_port_last AS service_ports,
       host(front_address) AS front_address, array_to_string(host_names, ',') AS host_names, engine_id
FROM skylark.installation
WHERE only_row
