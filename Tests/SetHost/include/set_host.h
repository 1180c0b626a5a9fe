#pragma once
// Nothing is called by name: see set_host.c.
