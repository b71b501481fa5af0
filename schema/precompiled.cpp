// Nothing: stands for the headers that SkiffPrecompiled.cmake compiles once for everybody.
