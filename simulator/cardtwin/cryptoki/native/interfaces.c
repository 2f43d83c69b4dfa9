/* The lists of functions: they can be had at any time, and no server is asked. */
#include <string.h>

#include "runtime.h"

CT_EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList);

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
    if (ppFunctionList == NULL)
        return CKR_ARGUMENTS_BAD;

    *ppFunctionList = &ct_function_list;
    return CKR_OK;
}

static CK_UTF8CHAR STANDARD_NAME[] = "PKCS 11", OWN_NAME[] = "Vendor cardtwin";
static CK_INTERFACE INTERFACES[] = {
    {STANDARD_NAME, &ct_function_list, 0},
    {OWN_NAME, &ct_own_function_list, 0},
};

enum { INTERFACE_COUNT = sizeof INTERFACES / sizeof INTERFACES[0] };

CT_EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount);

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
    CK_ULONG room;

    if (pulCount == NULL)
        return CKR_ARGUMENTS_BAD;

    room = *pulCount;
    *pulCount = INTERFACE_COUNT;

    if (pInterfacesList == NULL)
        return CKR_OK;

    if (room < INTERFACE_COUNT)
        return CKR_BUFFER_TOO_SMALL;

    memcpy(pInterfacesList, INTERFACES, sizeof INTERFACES);
    return CKR_OK;
}

static bool is_wanted(const CK_INTERFACE *interface, const char *name, const CK_VERSION *version, CK_FLAGS flags)
{
    /* Each list of functions begins with its version. */
    const CK_VERSION *own = interface->pFunctionList;

    if (name != NULL && strcmp((const char *)interface->pInterfaceName, name) != 0)
        return false;

    if (version != NULL && (version->major != own->major || version->minor != own->minor))
        return false;

    return (interface->flags & flags) == flags;
}

CT_EXPORT CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion,
                               CK_INTERFACE_PTR_PTR ppInterface, CK_FLAGS flags);

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
                     CK_FLAGS flags)
{
    if (ppInterface == NULL)
        return CKR_ARGUMENTS_BAD;

    for (size_t at = 0; at < INTERFACE_COUNT; at++) {
        if (is_wanted(&INTERFACES[at], (const char *)pInterfaceName, pVersion, flags)) {
            *ppInterface = &INTERFACES[at];
            return CKR_OK;
        }
    }

    return CKR_FUNCTION_FAILED;
}
