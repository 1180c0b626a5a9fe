#if VK_XEN
#include <stdlib.h>
#include <string.h>

#include "session.h"

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

static void describe_disks(libxl_domain_config *config, const struct vk_xl_domain *domain) {
    config->disks = calloc((size_t)domain->disk_count, sizeof *config->disks);
    if (!config->disks) return;
    config->num_disks = domain->disk_count;
    for (int i = 0; i < domain->disk_count; i++) {
        libxl_device_disk *disk = &config->disks[i];
        libxl_device_disk_init(disk);
        disk->pdev_path = copy(domain->disks[i].path);
        disk->vdev = copy(domain->disks[i].device);
        disk->readwrite = domain->disks[i].writable;
        disk->format = LIBXL_DISK_FORMAT_RAW;
        // The kernel of the node's domain serves it, not an emulator; a script makes a loop device of a file.
        disk->backend = LIBXL_DISK_BACKEND_PHY;
        disk->script = copy(domain->disk_script);
    }
}

static void describe_interface(libxl_domain_config *config, const struct vk_xl_domain *domain) {
    config->nics = calloc(1, sizeof *config->nics);
    if (!config->nics) return;
    config->num_nics = 1;
    libxl_device_nic_init(config->nics);
    config->nics->devid = 0;
    config->nics->bridge = copy(domain->bridge);
    config->nics->script = copy(domain->interface_script);
    // Left to itself libxl guesses, and guesses an emulated one.
    config->nics->nictype = LIBXL_NIC_TYPE_VIF;
}

static void describe(libxl_ctx *context, libxl_domain_config *config, const struct vk_xl_domain *domain) {
    config->c_info.type = domain->hardware ? LIBXL_DOMAIN_TYPE_PVH : LIBXL_DOMAIN_TYPE_PV;
    config->c_info.name = copy(domain->name);
    libxl_uuid_generate(&config->c_info.uuid);
    libxl_domain_build_info *build = &config->b_info;
    libxl_domain_build_info_init_type(build, config->c_info.type);
    build->max_vcpus = domain->processors;
    libxl_cpu_bitmap_alloc(context, &build->avail_vcpus, domain->processors);
    for (int i = 0; i < domain->processors; i++) libxl_bitmap_set(&build->avail_vcpus, i);
    build->max_memkb = build->target_memkb = domain->memory_kib;
    if (domain->processor_percent > 0) build->sched_params.cap = domain->processor_percent;
    build->kernel = copy(domain->kernel);
    build->ramdisk = copy(domain->ramdisk);
    build->cmdline = copy(domain->command_line);
    describe_disks(config, domain);
    describe_interface(config, domain);
}

int vk_xl_create(const struct vk_xl_domain *domain, int saved, uint32_t *id, struct vk_xl_reason *reason) {
    struct session session;
    if (session_open(&session, reason) != 0) return -1;
    libxl_domain_config config;
    libxl_domain_config_init(&config);
    describe(session.context, &config, domain);
    int result;
    if (saved < 0) {
        result = libxl_domain_create_new(session.context, &config, id, NULL, NULL);
    } else {
        libxl_domain_restore_params parameters;
        libxl_domain_restore_params_init(&parameters);
        // The default is the format before Xen 4.6, for which libxl starts a converter in Python.
        parameters.stream_version = 2;
        result = libxl_domain_create_restore(session.context, &config, id, saved, -1, &parameters, NULL, NULL);
        libxl_domain_restore_params_dispose(&parameters);
    }
    libxl_domain_config_dispose(&config);
    return session_close(&session, result);
}
#endif
