// Somebody else's program: sees nothing but what is installed.
#include <cstring>

#include <skiff/error.h>

int main() { return std::strcmp(skiff::name_of(skiff::ErrorCode::invalid_model), "invalid_model"); }
