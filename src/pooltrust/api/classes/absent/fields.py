"""The fields of classes that have no objects here, as one table: see reader.py for its language."""

FIELDS = """
pool_patch uuid name_label.= name_description.= version.= filename?= size:i= pool_applied:b=
  host_patches:@host_patch* after_apply_guidance:#after_apply_guidance*=
  pool_update.:@pool_update= other_config!:m=
pool_update uuid name_label.= name_description.= version.= installation_size.:i= key.=
  after_apply_guidance.:#update_after_apply_guidance*= vdi.:@VDI hosts:@host* other_config!:m=
  enforce_homogeneity.:b=
VM uuid allowed_operations:#vm_operations*= current_operations:{s>#vm_operations}= name_label!=
  name_description!= power_state.:#vm_power_state=Halted user_version!:i is_a_template!:b
  is_default_template:b= suspend_VDI.:@VDI= resident_on:@host scheduled_to_be_resident_on:@host=
  affinity!:@host memory_overhead:i= memory_target.:i= memory_static_max.:i memory_dynamic_max.:i
  memory_dynamic_min.:i memory_static_min.:i VCPUs_params!:m VCPUs_max.:i VCPUs_at_startup.:i
  actions_after_softreboot!:#on_softreboot_behavior=soft_reboot
  actions_after_shutdown!:#on_normal_exit actions_after_reboot!:#on_normal_exit
  actions_after_crash.:#on_crash_behaviour consoles:@console* VIFs:@VIF* VBDs:@VBD* VUSBs:@VUSB*
  crash_dumps:@crashdump* VTPMs:@VTPM* PV_bootloader! PV_kernel! PV_ramdisk! PV_args!
  PV_bootloader_args! PV_legacy_args! HVM_boot_policy. HVM_boot_params!:m
  HVM_shadow_multiplier.:f=1. platform.:m PCI_bus! other_config.:m domid:i domarch
  last_boot_CPU_flags.:m= is_control_domain:b metrics:@VM_metrics guest_metrics:@VM_guest_metrics
  last_booted_record.= recommendations! xenstore_data!:m= ha_always_run.:b= ha_restart_priority.=
  is_a_snapshot:b= snapshot_of:@VM= snapshots:@VM* snapshot_time:d= transportable_snapshot_id=
  blobs:{s>@blob}= tags!:s*= blocked_operations.:{#vm_operations>s}= snapshot_info:m=
  snapshot_metadata= parent:@VM= children:@VM* bios_strings:m= protection_policy.:@VMPP=
  is_snapshot_from_vmpp.:b= snapshot_schedule.:@VMSS= is_vmss_snapshot.:b=
  appliance.:@VM_appliance= start_delay.:i= shutdown_delay.:i= order.:i= VGPUs:@VGPU*
  attached_PCIs:@PCI* suspend_SR!:@SR= version.:i= generation_id.=0:0
  hardware_platform_version!:i= has_vendor_device.:b=true requires_reboot:b= reference_label.=
  domain_type.:#domain_type=unspecified NVRAM.:m= pending_guidances:#update_guidances*=
  recommended_guidances?:#update_guidances*= pending_guidances_recommended:#update_guidances*=
  pending_guidances_full:#update_guidances*= groups:@VM_group*
  secureboot_certificates_state:#vm_secureboot_certificates_state=ok
VM_metrics uuid memory_actual:i VCPUs_number:i VCPUs_utilisation:{i>f}= VCPUs_CPU:{i>i}
  VCPUs_params:m VCPUs_flags:{i>s*} state:s* start_time:d install_time:d last_updated:d
  other_config!:m= hvm:b= nested_virt:b= nomigrate:b= current_domain_type:#domain_type=unspecified
  numa_optimised.:b= numa_nodes.:i= numa_node_memory:{i>i}=
VM_guest_metrics uuid os_version:m netbios_name:m= PV_drivers_version:m PV_drivers_up_to_date:b
  memory:m= disks:m= networks:m other:m last_updated:d other_config!:m= live:b=
  can_use_hotplug_vbd:#tristate_type=unspecified can_use_hotplug_vif:#tristate_type=unspecified
  PV_drivers_detected:b= services:m=
VMPP uuid name_label!= name_description!= is_policy_enabled!:b=true
  backup_type!:#vmpp_backup_type=snapshot backup_retention_value.:i=7
  backup_frequency.:#vmpp_backup_frequency=daily backup_schedule.:m= is_backup_running:b
  backup_last_run_time:d= archive_target_type.:#vmpp_archive_target_type=none
  archive_target_config.:m= archive_frequency.:#vmpp_archive_frequency=never archive_schedule.:m=
  is_archive_running:b archive_last_run_time:d= VMs:@VM* is_alarm_enabled.:b= alarm_config.:m=
  recent_alerts:s*=
VMSS uuid name_label!= name_description!= enabled!:b=true type.:#vmss_type retained_snapshots.:i=7
  frequency.:#vmss_frequency schedule.:m= last_run_time:d= VMs:@VM*
VM_appliance uuid name_label!= name_description!= allowed_operations:#vm_appliance_operation*=
  current_operations:{s>#vm_appliance_operation}= VMs:@VM*
DR_task uuid introduced_SRs:@SR*
host_crashdump uuid host.:@host timestamp:d size:i filename.? other_config!:m=
host_patch uuid name_label.= name_description.= version. host.:@host filename? applied:b
  timestamp_applied:d size:i pool_patch.:@pool_patch= other_config!:m=
host_cpu uuid host:@host number:i vendor speed:i modelname family:i model:i stepping flags
  features utilisation:f other_config!:m=
network uuid name_label!= name_description!= allowed_operations:#network_operations*=
  current_operations:{s>#network_operations}= VIFs:@VIF* PIFs:@PIF* MTU!:i=1500 other_config!:m
  bridge.= managed.:b=true blobs:{s>@blob}= tags!:s*=
  default_locking_mode:#network_default_locking_mode=unlocked assigned_ips:{@VIF>s}=
  purpose:#network_purpose*=
VIF uuid allowed_operations:#vif_operations*= current_operations:{s>#vif_operations}= device.
  network.:@network VM.:@VM MAC. MTU.:i reserved?:b other_config!:m currently_attached.:b=
  status_code:i status_detail runtime_properties:m qos_algorithm_type! qos_algorithm_params!:m
  qos_supported_algorithms:s* metrics:@VIF_metrics= MAC_autogenerated:b=
  locking_mode.:#vif_locking_mode=network_default ipv4_allowed.:s*= ipv6_allowed.:s*=
  ipv4_configuration_mode:#vif_ipv4_configuration_mode=None ipv4_addresses:s*= ipv4_gateway=
  ipv6_configuration_mode:#vif_ipv6_configuration_mode=None ipv6_addresses:s*= ipv6_gateway=
  reserved_pci?:@PCI= trunks.:i*=
VIF_metrics uuid io_read_kbs:f= io_write_kbs:f= last_updated:d other_config!:m=
PIF uuid device. network.:@network host.:@host MAC. MTU.:i VLAN.:i device_name!?
  metrics:@PIF_metrics physical:b= currently_attached:b=true
  ip_configuration_mode:#ip_configuration_mode=None IP= netmask= gateway= DNS=
  bond_slave_of:@Bond= bond_master_of:@Bond* VLAN_master_of:@VLAN= VLAN_slave_of:@VLAN*
  management:b= other_config!:m= disallow_unplug:b= tunnel_access_PIF_of:@tunnel*
  tunnel_transport_PIF_of:@tunnel* ipv6_configuration_mode:#ipv6_configuration_mode=None IPv6:s*=
  ipv6_gateway= primary_address_type:#primary_address_type=IPv4 managed.:b=true properties:m=
  capabilities:s*= igmp_snooping_status:#pif_igmp_status=unknown
  sriov_physical_PIF_of:@network_sriov* sriov_logical_PIF_of:@network_sriov* PCI:@PCI=
PIF_metrics uuid io_read_kbs:f= io_write_kbs:f= carrier:b vendor_id vendor_name device_id
  device_name speed:i duplex:b pci_bus_path last_updated:d other_config!:m=
Bond uuid master.:@PIF= slaves:@PIF* other_config!:m= primary_slave:@PIF=
  mode:#bond_mode=balance-slb properties:m= links_up:i= auto_update_mac:b=true
VLAN uuid tagged_PIF.:@PIF= untagged_PIF:@PIF= tag.:i=-1 other_config!:m=
SM uuid name_label= name_description= type vendor copyright version required_api_version
  configuration:m capabilities:s*= features:{s>i}= host_pending_features?:{@host>s*}=
  other_config!:m= driver_filename= required_cluster_stack:s*=
  supported_image_formats:#image_format_type*=
SR uuid name_label.= name_description.= allowed_operations:#storage_operations*=
  current_operations:{s>#storage_operations}= VDIs:@VDI* PBDs:@PBD* virtual_allocation:i
  physical_utilisation:i physical_size.:i type. content_type. shared:b other_config!:m tags!:s*=
  default_vdi_visibility?:b sm_config!:m= blobs:{s>@blob}= local_cache_enabled:b=
  introduced_by:@DR_task= clustered:b= is_tools_sr:b=
LVHD ~ uuid
VDI uuid name_label.= name_description.= allowed_operations:#vdi_operations*=
  current_operations:{s>#vdi_operations}= SR.:@SR VBDs:@VBD* crash_dumps:@crashdump*
  virtual_size.:i physical_utilisation:i type.:#vdi_type sharable.:b read_only.:b other_config!:m
  storage_lock:b location= managed:b missing:b parent:@VDI xenstore_data!:m= sm_config!:m=
  is_a_snapshot:b= snapshot_of:@VDI= snapshots:@VDI* snapshot_time:d= tags!:s*=
  allow_caching:b= on_boot:#on_boot=persist metadata_of_pool:@pool= metadata_latest:b=
  is_tools_iso:b= cbt_enabled:b=
VBD uuid allowed_operations:#vbd_operations*= current_operations:{s>#vbd_operations}= VM.:@VM
  VDI.:@VDI device.= userdevice! bootable!:b mode.:#vbd_mode type!:#vbd_type unpluggable!:b=true
  storage_lock:b empty.:b reserved?:b= other_config!:m currently_attached.:b= status_code:i
  status_detail runtime_properties:m qos_algorithm_type! qos_algorithm_params!:m
  qos_supported_algorithms:s* metrics:@VBD_metrics=
VBD_metrics uuid io_read_kbs:f= io_write_kbs:f= last_updated:d= other_config!:m=
PBD uuid host.:@host SR.:@SR device_config.:m currently_attached:b other_config!:m=
crashdump uuid VM.:@VM VDI.:@VDI other_config!:m=
VTPM uuid allowed_operations:#vtpm_operations*= current_operations:{s>#vtpm_operations}= VM.:@VM
  backend:@VM= persistence_backend:#persistence_backend=xapi is_unique.:b= is_protected:b=
  contents?:@secret
console uuid protocol:#console_protocol location VM:@VM other_config!:m port!?:i
blob uuid name_label!= name_description!= size:i public!:b= last_updated.:d mime_type.
tunnel uuid access_PIF.:@PIF= transport_PIF.:@PIF= status!:m={"active"->"false"}
  other_config!:m= protocol!:#tunnel_protocol=gre
network_sriov uuid physical_PIF.:@PIF= logical_PIF.:@PIF= requires_reboot:b=
  configuration_mode:#sriov_configuration_mode=unknown
PCI uuid class_id.= class_name.= vendor_id.= vendor_name.= device_id.= device_name.= host.:@host=
  pci_id.= functions?:i=1 virtual_functions?:@PCI* physical_function.?:@PCI= attached_VMs?:@VM*
  dependencies:@PCI* other_config!:m= subsystem_vendor_id.= subsystem_vendor_name.=
  subsystem_device_id.= subsystem_device_name.= scheduled_to_be_attached_to?:@VM= driver_name.=
PGPU uuid PCI.:@PCI= GPU_group.:@GPU_group= host:@host= other_config!:m=
  supported_VGPU_types:@VGPU_type* enabled_VGPU_types:@VGPU_type* resident_VGPUs:@VGPU*
  size.?:i=1048576 supported_VGPU_max_capacities:{@VGPU_type>i}=
  dom0_access:#pci_dom0_access=enabled is_system_display_device:b= compatibility_metadata:m=
GPU_group uuid name_label!= name_description!= PGPUs:@PGPU* VGPUs:@VGPU* GPU_types:s*=
  other_config!:m= allocation_algorithm!:#allocation_algorithm=depth_first
  supported_VGPU_types:@VGPU_type* enabled_VGPU_types:@VGPU_type*
VGPU uuid VM:@VM GPU_group:@GPU_group device=0 currently_attached:b= other_config!:m=
  type:@VGPU_type= resident_on:@PGPU= scheduled_to_be_resident_on:@PGPU= compatibility_metadata:m=
  extra_args!= PCI:@PCI=
VGPU_type uuid vendor_name.= model_name.= framebuffer_size.:i= max_heads.:i= max_resolution_x.:i=
  max_resolution_y.:i= size.?:i= supported_on_PGPUs:@PGPU* enabled_on_PGPUs:@PGPU* VGPUs:@VGPU*
  internal_config.?:m= supported_on_GPU_groups:@GPU_group* enabled_on_GPU_groups:@GPU_group*
  implementation.:#vgpu_type_implementation=passthrough identifier.= experimental.:b=
  compatible_types_in_vm:@VGPU_type*= compatible_types_on_pgpu?:@VGPU_type*=
PVS_site uuid name_label!= name_description!= PVS_uuid.= cache_storage:@PVS_cache_storage*=
  servers:@PVS_server* proxies:@PVS_proxy*
PVS_server uuid addresses.:s*= first_port.:i= last_port.:i= site.:@PVS_site=
PVS_proxy uuid site.:@PVS_site= VIF.:@VIF= currently_attached:b= status:#pvs_proxy_status=stopped
PVS_cache_storage uuid host.:@host= SR.:@SR= site.:@PVS_site= size.:i=21474836480 VDI:@VDI=
Feature uuid name_label.= name_description.= enabled:b= experimental.:b= version.=1.0 host:@host
SDN_controller uuid protocol.:#sdn_controller_protocol=ssl address.= port.:i=
PUSB uuid USB_group.:@USB_group= host.:@host= path.= vendor_id.= vendor_desc.= product_id.=
  product_desc.= serial.= version.= description.= passthrough_enabled:b= other_config!:m=
  speed.:f=-1.
USB_group uuid name_label!= name_description!= PUSBs:@PUSB* VUSBs:@VUSB* other_config!:m=
VUSB uuid allowed_operations:#vusb_operations*= current_operations:{s>#vusb_operations}= VM:@VM
  USB_group:@USB_group other_config!:m= currently_attached:b=
Cluster uuid cluster_hosts:@Cluster_host* pending_forget:s*= cluster_token.=
  cluster_stack.=corosync cluster_stack_version.:i=2 is_quorate:b= quorum:i= live_hosts:i=
  expected_hosts:i= allowed_operations:#cluster_operation*=
  current_operations:{s>#cluster_operation}= pool_auto_join.:b=true token_timeout.:f=20.
  token_timeout_coefficient.:f=1. cluster_config.:m= other_config!:m=
Cluster_host uuid cluster.:@Cluster= host.:@host= enabled:b= PIF.:@PIF= joined:b=true live:b=
  last_update_live:d= allowed_operations:#cluster_host_operation*=
  current_operations:{s>#cluster_host_operation}= other_config.:m=
Repository uuid name_label!= name_description!= binary_url.= source_url.= update.:b= hash=
  up_to_date:b= gpgkey_path.= origin.:#origin=remote certificate.=
Observer uuid name_label!= name_description!= hosts.:@host*= attributes.:m= endpoints.:s*=
  components.:s*= enabled.:b=
VM_group uuid name_label!= name_description!= placement.:#placement_policy=normal VMs:@VM*
Host_driver uuid host.:@host= name friendly_name variants:@Driver_variant*
  active_variant:@Driver_variant selected_variant:@Driver_variant type description info
Driver_variant uuid name driver:@Host_driver version hardware_present:b priority:f status
Caller uuid name_label!= name_description!= user_agent.= client_ip.= last_access:d= groups:s*=
  rate_limit:@Rate_limit= auto_registered:b=
Rate_limit uuid name_label!= name_description!= callers:@Caller* burst_size.:f= fill_rate.:f=
"""
