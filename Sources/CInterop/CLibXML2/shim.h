#ifndef CLIBXML2_SHIM_H
#define CLIBXML2_SHIM_H
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

// xmlFree is a mutable global variable, which Swift 6 refuses to read.
static inline void clibxml2_free(void *memory) { xmlFree(memory); }

// Some of XPath's run-time errors bypass the context's handler and go to the thread's generic one, which prints.
static inline void clibxml2_discard(void *context, const char *message, ...) {
    (void)context;
    (void)message;
}
static inline void clibxml2_silence_thread(void) { xmlSetGenericErrorFunc(NULL, clibxml2_discard); }
#endif
