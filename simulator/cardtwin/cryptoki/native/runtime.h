/* What the generated stubs are made of: one call, from its arguments to its results. */
#ifndef CARDTWIN_RUNTIME_H
#define CARDTWIN_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "cryptoki.h"
#include "cardtwin.h"

#define CT_EXPORT __attribute__((visibility("default")))

struct ct_connection;

struct ct_call {
    struct ct_connection *connection;
    size_t at;     /* where the next byte is written, and later read */
    size_t end;    /* where the answer ends */
    CK_RV failure; /* the first thing that went wrong on this side; nothing goes on after it */
    CK_RV rv;      /* what the server answered */
    bool waits;
    bool broken; /* the connection cannot be used any more */
};

/* Generated, with the stubs. */
extern const uint32_t ct_sum_of_table;
extern const unsigned ct_number_of_initialize, ct_number_of_finalize;
extern CK_FUNCTION_LIST ct_function_list;
extern cardtwin_function_list ct_own_function_list;

/* Begins a call; on any other result than CKR_OK there is no call to be ended. */
CK_RV ct_begin(struct ct_call *call, unsigned number, bool waits);
/* Sends the arguments and waits for the answer; true if results follow. */
bool ct_exchange(struct ct_call *call);
/* Ends the call; returns what the function returns. */
CK_RV ct_end(struct ct_call *call);

/* A mark goes before each pointer: it is NULL, it leads to something, or it is no argument at all. */
enum ct_mark { CT_NULL, CT_THERE, CT_BAD };

void ct_put_byte(struct ct_call *call, unsigned byte);
void ct_put_ulong(struct ct_call *call, CK_ULONG value);
void ct_put_data(struct ct_call *call, const void *pointer, CK_ULONG length);
void ct_put_pointer(struct ct_call *call, const void *pointer);
void ct_put_template(struct ct_call *call, const CK_ATTRIBUTE *template, CK_ULONG count);
void ct_put_values(struct ct_call *call, const cardtwin_value *values, CK_ULONG count);
void ct_put_query(struct ct_call *call, const CK_ATTRIBUTE *template, CK_ULONG count);
void ct_put_filling(struct ct_call *call, const void *pointer, CK_ULONG length);
void ct_put_found(struct ct_call *call, const CK_ULONG *array, CK_ULONG room, const CK_ULONG *count);
/* Returns the room there is: what *length is when the call begins. */
CK_ULONG ct_put_room(struct ct_call *call, const void *pointer, const CK_ULONG *length);

/* Whether the call goes well and there is a place for a result: none is sent where there is none. */
bool ct_is_there(struct ct_call *call, const void *target);
void ct_get_bytes(struct ct_call *call, void *target, size_t length);
void ct_get_ulong(struct ct_call *call, CK_ULONG *target);
void ct_get_buffer(struct ct_call *call, CK_BYTE *target, CK_ULONG *length, CK_ULONG room);
void ct_get_list(struct ct_call *call, CK_ULONG *target, CK_ULONG *count, CK_ULONG room);
void ct_get_found(struct ct_call *call, CK_ULONG *target, CK_ULONG *count, CK_ULONG room);
void ct_get_filling(struct ct_call *call, CK_BYTE *target, CK_ULONG length);
void ct_get_readings(struct ct_call *call, CK_ATTRIBUTE *template, CK_ULONG count);

#endif
