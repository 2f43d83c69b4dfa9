/* The library's life: not initialised, initialised, and whose connections there are. */
#ifndef CARDTWIN_LIBRARY_H
#define CARDTWIN_LIBRARY_H

#include "connection.h"
#include "cryptoki.h"

/* Gives a connection that nobody else uses; CKR_CRYPTOKI_NOT_INITIALIZED or CKR_DEVICE_ERROR if there is none. */
CK_RV ct_acquire(struct ct_connection **connection, bool waiting);
/* Takes it back; a broken one is closed. */
void ct_release(struct ct_connection *connection, bool broken);
/* Whether that C_Initialize still holds. */
bool ct_holds(uint64_t instance);

#endif
