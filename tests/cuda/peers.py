"""Times networks in Skiff, PyTorch and ONNX Runtime in turn (A-B-A), where these are installed.

Usage: peers.py SKIFF MODEL.skiff...; beside each model its source may lie as MODEL.onnx. Prints a line
a network and runtime: median milliseconds of the two rounds. Nothing is downloaded.
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


def onnx_runtime(source):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(source), providers=["CUDAExecutionProvider"])
    if session.get_providers()[0] != "CUDAExecutionProvider":
        raise RuntimeError("ONNX Runtime has no CUDA here")
    inputs = random_inputs(session)
    return lambda: session.run(None, inputs)


def pytorch(compiled):
    def make(source):
        import onnx
        import torch
        from onnx2torch import convert

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        module = convert(onnx.load(str(source))).eval().cuda()
        shapes = [[d.dim_value or 1 for d in i.type.tensor_type.shape.dim]
                  for i in onnx.load(str(source)).graph.input]
        inputs = [torch.randn(shape, device="cuda") for shape in shapes]
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
    tool, models = sys.argv[1], [pathlib.Path(name) for name in sys.argv[2:]]
    for model in models:
        source = model.with_suffix(".onnx")
        for name, make in PEERS.items():
            try:
                if not source.exists():
                    raise FileNotFoundError("no " + source.name)
                call = make(source)
                first = time_skiff(tool, str(model))
                peer = time_calls(call)
                again = time_skiff(tool, str(model))
                print(f"{model.stem}: Skiff {first:.4f} and {again:.4f} ms, {name} {peer:.4f} ms")
            except Exception as error:  # whatever is missing or fails is said, the rest goes on
                print(f"{model.stem}: {name}: {error}")


main()
