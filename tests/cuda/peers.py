"""Times networks in Skiff, PyTorch and ONNX Runtime in turn (A-B-A), where these are installed.

Usage: peers.py SKIFF MODEL.skiff SOURCE.onnx fp32|fp16. Prints a line a runtime: median milliseconds of
Skiff's two rounds and the peer's. Fails where Skiff cannot be timed. Nothing is downloaded.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import time

RUNS, WARM_UPS = 300, 50


def time_skiff(tool, model):
    command = [tool, "bench", model, "--device=cuda", "--duration=2", "--tune=fast", "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["latency_ms"]["median"]


def time_calls(call):
    for _ in range(WARM_UPS):
        call()
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


def random_inputs(session):
    import numpy

    kinds = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64}
    random = numpy.random.default_rng(1)
    inputs = {}
    for value in session.get_inputs():
        shape = [extent if isinstance(extent, int) else 1 for extent in value.shape]
        inputs[value.name] = random.random(shape).astype(kinds[value.type])
    return inputs


def onnx_runtime(source, half):
    import onnxruntime

    model = str(source)
    if half:
        import onnx
        from onnxconverter_common import float16

        converted = float16.convert_float_to_float16(onnx.load(model), keep_io_types=True)
        model = converted.SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CUDAExecutionProvider"])
    if session.get_providers()[0] != "CUDAExecutionProvider":
        raise RuntimeError("ONNX Runtime has no CUDA here")
    inputs = random_inputs(session)
    return lambda: session.run(None, inputs)


def pytorch(compiled):
    def make(source, half):
        import onnx
        import torch
        from onnx2torch import convert

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        module = convert(onnx.load(str(source))).eval().cuda()
        shapes = [[d.dim_value or 1 for d in i.type.tensor_type.shape.dim]
                  for i in onnx.load(str(source)).graph.input]
        inputs = [torch.randn(shape, device="cuda") for shape in shapes]
        if half:
            module, inputs = module.half(), [x.half() for x in inputs]
        run = torch.compile(module, mode="max-autotune") if compiled else module

        def call():
            with torch.inference_mode():
                run(*inputs)
            torch.cuda.synchronize()

        return call

    return make


PEERS = {
    "ONNX Runtime": onnx_runtime,
    "PyTorch": pytorch(False),
    "torch.compile": pytorch(True),
}


def main():
    tool, model, source, precision = sys.argv[1], *map(pathlib.Path, sys.argv[2:4]), sys.argv[4]
    first = time_skiff(tool, str(model))
    for name, make in PEERS.items():
        try:
            call = make(source, precision == "fp16")
            peer = time_calls(call)
        except Exception as error:  # what is not installed or fails is said, the rest goes on
            print(f"{model.stem}: {name}: {error}")
            continue
        again = time_skiff(tool, str(model))
        print(f"{model.stem}: Skiff {first:.4f} and {again:.4f} ms, {name} {peer:.4f} ms")
        first = again
    print(f"{model.stem}: Skiff {first:.4f} ms")


main()
