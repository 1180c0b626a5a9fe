#include "gnu.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int vk_open_terminal(int *program_side) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return -1;
    // Not by its path: that may be another mount's.
    if (unlockpt(terminal) == 0) {
        *program_side = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (*program_side >= 0) return terminal;
    }
    int error = errno;
    close(terminal);
    errno = error;
    return -1;
}

int vk_terminal_size(int terminal, uint16_t *rows, uint16_t *columns) {
    struct winsize size = {0};
    if (ioctl(terminal, TIOCGWINSZ, &size) < 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

int vk_set_terminal_size(int terminal, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(terminal, TIOCSWINSZ, &size);
}
