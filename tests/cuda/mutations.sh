#!/usr/bin/env bash
# Do the tests of the GPU back end bite? Each line below breaks it in one place: a barrier is deleted,
# an index shifted, two operations swapped. Some test must fail on every one of them.
# Usage: tests/cuda/mutations.sh [--one-a-file | --sample] BUILD [PATTERN], the folder of a build with the
# tests (build/cpu) and a regular expression for the lines to try (all). --one-a-file: the first of each
# file. --sample: the first of every fourth file; which ones, the commit says.
#        tests/cuda/mutations.sh --fit    only asks whether each still changes the text it breaks, and
#                                         whether there is one for every source of the GPU back end
set -uo pipefail
few= fit= shares=1
[ "${1:-}" != --one-a-file ] || { few=yes; shift; }
[ "${1:-}" != --sample ] || { few=yes; shares=4; shift; }
[ "${1:-}" != --fit ] || { fit=yes; shift; set -- . "$@"; }
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
build=$(realpath "$1")
pattern=${2:-}
cd "$(dirname "$0")/../.." || exit
export SKIFF_LONG=1  # all orders of threads

# file | what sed does | test program | its tests
mutations=(
  'runtime/ops/softmax_cuda.cu|s/row \/ p.inner \* p.extent \* p.inner + row % p.inner/row * p.extent/|cuda_ops_test|Softmax.EveryAxisAndType'
  'runtime/ops/softmax_cuda.cu|s/p.inner\]) - largest));/p.inner])));/|cuda_ops_test|Softmax.LargeAndMaskedValues'
  'runtime/ops/softmax_cuda.cu|s/p.log ? v - log_sum : //|cuda_ops_test|Softmax.EveryAxisAndType'
  'runtime/ops/pool_cuda.cu|s/count_pads ? counted : inside/count_pads ? inside : counted/|cuda_ops_test|Pool.PaddingCeilModeAndDilation'
  'runtime/ops/pool_cuda.cu|s/if (!tap.inside) continue;//|cuda_ops_test|Pool.PaddingCeilModeAndDilation'
  'runtime/ops/pad_cuda.cu|s/- loop.before\[axis\];/- loop.before[0];/|cuda_ops_test|Pad.EveryModeRankAndSize'
  'runtime/ops/pad_cuda.cu|s/: 2 \* extent - 1 - inside/: 2 * extent - inside/|cuda_ops_test|Pad.EveryModeRankAndSize'
  'runtime/ops/pad_cuda.cu|s/(a % n + n) % n/a % n/|cuda_ops_test|Pad.EveryModeRankAndSize'
  'runtime/ops/pad_cuda.cu|s/given != nullptr ? \*given : value/value/|cuda_ops_test|Pad.Values'
  'runtime/ops/resize_cuda.cu|s/\* s.between + between) \*/* s.between) */|cuda_ops_test|Resize.EveryAxisAndLayout'
  'runtime/ops/resize_cuda.cu|s/shape_.tables\[n\] = narrow(table_)/shape_.tables[n] = 0/|cuda_ops_test|Resize.EveryAxisAndLayout'
  'runtime/ops/resize_cuda.cu|s/rest % s.out\[0\] \* s.taps\[0\]/rest % s.out[0] * s.taps[1]/|cuda_ops_test|Resize.*'
  'runtime/ops/slice_cuda.cpp|s/make_walk(spec);/make_identity(spec);/|cuda_ops_test|Slice.EveryRankAndSize'
  'runtime/ops/expand_cuda.cpp|s/make_walk(spec);/make_identity(spec);/|cuda_ops_test|Expand.EverySize'
  'runtime/ops/transpose_cuda.cpp|s/make_walk(spec);/make_identity(spec);/|cuda_ops_test|Transpose.EveryRankAndSize'
  'runtime/ops/depth_to_space_cuda.cpp|/make_depth/s/make_walk(spec);/make_identity(spec);/|cuda_ops_test|DepthToSpace.BothOrders*'
  'runtime/ops/depth_to_space_cuda.cpp|/make_space/s/make_walk(spec);/make_identity(spec);/|cuda_ops_test|SpaceToDepth.BothOrders*'
  'runtime/ops/reshape_cuda.cpp|s/from, bytes_, cudaMemcpy/from, bytes_ - 1, cudaMemcpy/|cuda_ops_test|Reshape.MovesBytes'
  'runtime/ops/reshape_cuda.cpp|s/^\( *\)args.stream()),$/\1nullptr),/|cuda_ops_test|Reshape.MovesBytes'
  'runtime/ops/rnn_cuda.cu|s/^    __syncthreads();  \/\/ h and c.*$//|cuda_ops_test|Rnn.EveryKind*'
  'runtime/ops/rnn_cuda.cu|s/^    __syncthreads();  \/\/ all gates.*$//|cuda_ops_test|Rnn.EveryKind*'
  'runtime/ops/rnn_cuda.cu|s/bias\[rows + row\]/bias[row]/|cuda_ops_test|Rnn.EveryKind*'
  'runtime/ops/rnn_cuda.cu|s/(direction == 1) != s.reverse/direction == 1/|cuda_ops_test|Rnn.EveryKind*'
  'runtime/ops/rnn_cuda.cu|s/s.batch_first ? batch \* s.directions + direction : //|cuda_ops_test|Rnn.EveryKind*'
  'runtime/ops/rnn_cuda.cu|s/cell < -s.cell_clip ? -s.cell_clip : cell/cell/|cuda_ops_test|Rnn.BoundedCells'
  'runtime/ops/layer_norm_cuda.cu|s/group \* p.run, group \* p.run}/group * p.run, 0}/|cuda_ops_test|GroupNorm.EveryType*'
  'runtime/ops/layer_norm_cuda.cu|s/p.rms ? 0.0f : //|cuda_ops_test|LayerNorm.EveryAxis*'
  'runtime/ops/layer_norm_cuda.cu|s/const float centred = to_float(x\[element(i)\]) - mean;/const float centred = to_float(x[element(i)]);/|cuda_ops_test|LayerNorm.EveryAxis*'
  'runtime/ops/layer_norm_cuda.cu|s/deviations\[blockIdx.x\] = factor/deviations[blockIdx.x] = mean/|cuda_ops_test|LayerNorm.EveryAxis*'
  'runtime/ops/lp_norm_cuda.cu|s/p.squares ? sqrtf(sum) : sum/sum/|cuda_ops_test|LpNorm.EveryAxis*'
  'runtime/ops/lp_norm_cuda.cu|s/norm == 0.0f ? 1.0f : norm/norm/|cuda_ops_test|LpNorm.Zero*'
  'runtime/ops/conv_depthwise_cuda.cu|s/(t \* channels + c) \* size/(c * taps + t) * size/|cuda_ops_test|Conv.Depthwise'
  'runtime/ops/conv_depthwise_cuda.cu|s/tap_number \* w.channels + at.channel/tap_number * w.channels/|cuda_ops_test|Conv.Depthwise'
  'runtime/ops/conv_depthwise_cuda.cu|s/if (tap.inside)$/if (true)/|cuda_ops_test|Conv.Depthwise'
  'runtime/ops/conv_direct_cuda.cu|s/at.channel \/ g.cout \* g.cin/at.channel % g.cout * g.cin/|cuda_ops_test|ConvTranspose*'
  'runtime/ops/conv_direct_cuda.cu|s/if (!tap.inside) continue;//|cuda_ops_test|ConvTranspose*'
  'runtime/ops/conv_product_cuda.cpp|s/.transpose_b = true/.transpose_b = false/|cuda_tune_test|Tune.EveryAlgorithm*'
  'runtime/ops/conv_product_cuda.cpp|s/? args.input<void>(2) : nullptr/? args.input<void>(1) : nullptr/|cuda_tune_test|Tune.EveryAlgorithm*'
  'runtime/ops/binary_cuda.cu|s/a\[from\[0\]\]), to_float(b\[from\[1\]\])/b[from[1]]), to_float(a[from[0]])/|cuda_ops_test|Binary.EveryFunction*'
  'runtime/ops/binary_cuda.cu|s/spec.input(i).shape == spec.output(0).shape \&\& //|cuda_ops_test|Binary.EveryBroadcast'
  'runtime/ops/binary_cuda.cu|s/f <= Function::greater_equal; }/f < Function::greater_equal; }/|cuda_ops_test|Binary*'
  'runtime/ops/binary_cuda.cu|s/apply_fused(activation, value)/value/|cuda_ops_test|Binary.Fused*'
  'runtime/ops/unary_cuda.cu|s/if (i < count)/if (i <= count)/|cuda_ops_test|Unary.EveryCount*'
  'runtime/ops/unary_cuda.cu|s/to_float(x\[i\])/to_float(x[count - 1 - i])/|cuda_ops_test|Unary.EveryCount*'
  'runtime/ops/where_cuda.cu|s/condition\[from\[0\]\]/condition[from[1]]/|cuda_ops_test|Where.Every*'
  'runtime/ops/where_cuda.cu|s/? a\[from\[1\]\] : b\[from\[2\]\]/? b[from[2]] : a[from[1]]/|cuda_ops_test|Where.Every*'
  'runtime/ops/cast_cuda.cu|s/read_number(x\[i\])/read_number(x[count - 1 - i])/|cuda_ops_test|Cast.Every*'
  'runtime/ops/cast_cuda.cu|s/if (i < count) y/if (i <= count) y/|cuda_ops_test|Cast.Every*'
  'runtime/ops/concat_cuda.cpp|s/start += x->shape\[axis\] \* to/start += x->shape[0] * to/|cuda_ops_test|Concat.Every*'
  'runtime/ops/concat_cuda.cpp|s/args.input<std::byte>(static_cast<int>(i))/args.input<std::byte>(0)/|cuda_ops_test|Concat.Every*'
  'runtime/cuda/activation.cuh|s/fminf(f.alpha, f.beta)/f.alpha/|cuda_ops_test|Unary.Clip*'
  'runtime/cuda/elementwise.cuh|s/return floorf(x);/return ceilf(x);/|cuda_ops_test|Unary.EveryFunction*'
  'runtime/cuda/broadcast.cuh|s/narrow(loop.strides\[at(n)\]/narrow(loop.strides[0]/|cuda_ops_test|Where.Every*'
  'runtime/cuda/number.cuh|s/blockIdx.x) \* blockDim.x/blockIdx.x) * (blockDim.x - 1)/|cuda_ops_test|Unary.EveryCount*'
  'runtime/cuda/epilogue.cu|s/i % channels/i \/ channels/|cuda_tune_test|Tune.EveryAlgorithm*'
  'runtime/cuda/epilogue.cu|s/static_cast<const T\*>(bias), static_cast<const T\*>(residual)/static_cast<const T*>(residual), static_cast<const T*>(bias)/|cuda_tune_test|Tune.EveryAlgorithm*'
  'runtime/cuda/weights.cpp|s/find_convert({}, from, to)/find_convert({}, to, from)/|cuda_ops_test|Conv.HalfStored*'
  'runtime/cuda/weights.cpp|s/static_cast<std::size_t>(count) \* size_of(from)/static_cast<std::size_t>(count)/|cuda_ops_test|Conv.HalfStored*'
  'runtime/cuda/kernels.cpp|s/{space_to_depth, make_space_to_depth}/{space_to_depth, make_identity}/|cuda_ops_test|SpaceToDepth.BothOrders*'
  'runtime/cuda/kernels.cpp|s/{matmul, make_matmul, list_matmul_choices}/{matmul, make_matmul}/|cuda_tune_test|Tune.ProductsToo'
  'runtime/cuda/kernel.cpp|s/to.data(), to.size())/to.data(), to.size() \/ 2)/|cuda_ops_test|Conv.HalfStored*'
  'runtime/cuda/check.cpp|s/^    case cudaErrorLaunchFailure:$//|cuda_faults_test|LostContext*'
  'runtime/cuda/check.cpp|s/error == cudaErrorMemoryAllocation ? ErrorCode::out_of_memory : //|cuda_faults_test|MemoryThat*'
  'runtime/cuda/device.cpp|s/^  check(cudnnSetStream.*$//|cuda_ops_test|Conv.Pointwise'
  'runtime/cuda/device.cpp|s/^  check(cublasLtCreate(cublas_.out()), "cublasLtCreate");$//|cuda_ops_test|MatMul.Shapes'
  'runtime/cuda/probe.cpp|s/ordinal < count/ordinal <= count + 2/|cuda_missing_test|Missing.Device'
  'runtime/cuda/probe.cpp|s/asked == cudaSuccess \&\& driver != 0/asked == cudaSuccess/|cuda_missing_test|Missing.Driver'
  'runtime/cuda/probe.cpp|s/counts_new ? 10000 : 1000/10000/|cuda_missing_test|Missing.RightCudnn'
  'runtime/cuda/probe.cpp|s/^  probe_image(ordinal);$//|cuda_missing_test|Missing.Code*'
  'runtime/cuda/jit/headers.cpp|s/float alpha, beta;/float beta, alpha;/|cuda_compiled_chain_test|CompiledChain.Clips*'
  'runtime/cuda/copy.cu|s/walk.start \* static_cast<std::int64_t>(size_of(dtype))/walk.start/|cuda_ops_test|Slice.EveryRankAndSize'
  'runtime/cuda/copy.cu|s/write += index \* loop.to/write += index * loop.from/|cuda_ops_test|Concat.Every*'
  'runtime/cuda/copy.cu|s/kThreads, args.stream(), loop/kThreads, nullptr, loop/|cuda_ops_test|Transpose.Image*'
  'runtime/cuda/cudnn/plan.cpp|s/addresses.push_back(address);/addresses.insert(addresses.begin(), address);/|cuda_ops_test|Conv.Pointwise'
  'runtime/cuda/cudnn/plan.cpp|s/plan.workspace = static_cast<std::size_t>(bytes);/plan.workspace = 0;/|cuda_ops_test|Conv.Windows'
  'runtime/cuda/cudnn/plan.cpp|s/return policy.tensor_cores != unwanted;/return true;/|cuda_tf32_test|*'
  'runtime/cuda/cudnn/plan.cpp|s/ \&\& plan->workspace <= policy.most_workspace//|cuda_tune_test|*'
  'runtime/cuda/cudnn/plan.cpp|s/ \&\& name_of(configuration, engine) != policy.engine/ \&\& false/|cuda_tune_test|*'
  'runtime/cuda/cudnn/plan.cpp|s/name_of(configuration, engine) != policy.engine/message(engine.index) != policy.engine/|cuda_tune_test|*'
  'runtime/cuda/cudnn/plan.cpp|s/if (engine.has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)) return false;//|cuda_ops_test|Conv.FewInput*'
  'runtime/cuda/cudnn/plan.cpp|s/if (engine.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return false;//|cuda_ops_test|Conv.FewInput*'
  'runtime/cuda/cudnn/plan.cpp|s/if (engine.has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return false;//|cuda_ops_test|Conv.FewInput*'
  'runtime/cuda/cudnn/graph.cpp|s/PRE_PADDINGS, axes(window.pad_begin)/PRE_PADDINGS, axes(window.pad_end)/|cuda_ops_test|Conv.Asymmetric*'
  'runtime/cuda/cudnn/graph.cpp|s/DILATIONS, axes(window.dilation)/DILATIONS, axes(window.stride)/|cuda_ops_test|Conv.Asymmetric*'
  'runtime/cuda/cudnn/graph.cpp|s/XDESC, at(x)/XDESC, at(y)/|cuda_ops_test|Conv.Residual*'
  'runtime/cuda/cudnn/graph.cpp|s/FORWARD_X, at(x)/FORWARD_X, at(w)/;s/FORWARD_W, at(w)/FORWARD_W, at(x)/|cuda_ops_test|Conv.Pointwise'
  'runtime/cuda/cudnn/graph.cpp|s/strides\[0\] = shape.elements(1, rank)/strides[0] = shape.elements(2, rank)/|cuda_ops_test|Conv.Windows'
  'runtime/cuda/cudnn/graph.cpp|s/IS_VIRTUAL, is_virtual/IS_VIRTUAL, false/|cuda_ops_test|Conv.Residual*'
  'runtime/cuda/cublaslt/matmul.cpp|s/p.bias         ? CUBLASLT_EPILOGUE_BIAS/p.bias         ? CUBLASLT_EPILOGUE_RELU_BIAS/|cuda_ops_test|MatMul.Bias*'
  'runtime/cuda/cublaslt/matmul.cpp|s/p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k/p.m, p.k/|cuda_ops_test|MatMul.Transposed'
  'runtime/cuda/cublaslt/matmul.cpp|s/STRIDED_BATCH_OFFSET, step/STRIDED_BATCH_OFFSET, step * 0/|cuda_ops_test|MatMul.Batches'
  'runtime/cuda/cublaslt/matmul.cpp|s/b, b_.get(), a, a_.get(),/a, b_.get(), b, a_.get(),/|cuda_ops_test|MatMul.Shapes'
  'runtime/cuda/cublaslt/matmul.cpp|s/product_.residual ? 1.0f : 0.0f/0.0f/|cuda_ops_test|MatMul.Bias*'
  'runtime/cuda/program.cpp|s/^    device_.wait();$//|cuda_tune_test|Tune.TakesTheFastest'
  'runtime/cuda/probe.cpp|s/require(runtime \/ 1000 == kCudaMajor/require(true/|cuda_missing_test|*Runtime'
  'runtime/cuda/probe.cpp|s/require(major == CUBLAS_VER_MAJOR/require(true/|cuda_missing_test|*CublasLt'
  'runtime/cuda/block_reduce.cuh|0,/__syncthreads();$/s/  __syncthreads();$//|cuda_ops_test|Softmax*:LayerNorm*'
  'runtime/ops/reduce_cuda.cu|s/^  __syncthreads();$//|cuda_ops_test|Reduce*'
  'runtime/cuda/order.cuh|s/if (magnitude == 0) key = 0;//|cuda_ops_test|TopK*'
  'runtime/cuda/order.cuh|s/magnitude > order.infinity/magnitude >= order.infinity/|cuda_ops_test|TopK*'
  'runtime/cuda/order.cuh|s/ : a.index < b.index/ : false/|cuda_ops_test|TopK*'
  'runtime/cuda/order.cuh|s/else if (order.is_signed)/else if (!order.is_signed)/|cuda_ops_test|TopK*'
  'runtime/cuda/sort.cuh|s/^      __syncthreads();$//|cuda_ops_test|TopK*'
  'runtime/cuda/sort.cuh|s/low % size \& stage/low \& stage/|cuda_ops_test|TopK*'
  'runtime/ops/top_k_cuda.cu|s/ \&\& i < lines.extent$//|cuda_ops_test|TopK*'
  'runtime/ops/top_k_cuda.cu|s/if (rank >= to.room) return;//|cuda_ops_test|TopK*'
  'runtime/ops/top_k_cuda.cu|s/other = begin; other/other = begin + 1; other/|cuda_ops_test|TopK*'
  'runtime/ops/top_k_cuda.cu|s/return bytes_\[0\] + bytes_\[1\];/return bytes_[0];/|cuda_ops_test|TopK*'
  'runtime/ops/arg_reduce_cuda.cu|s/^  __syncthreads();$//|cuda_ops_test|ArgReduce*'
  'runtime/ops/arg_reduce_cuda.cu|s/lines.last ? ~index : index/index/|cuda_ops_test|ArgReduce*'
  'runtime/ops/arg_reduce_cuda.cu|s/, lane, kLanes)/, lane, kLanes + 1)/|cuda_ops_test|ArgReduce*'
  'runtime/ops/arg_reduce_cuda.cu|s/row = 1; row/row = 2; row/|cuda_ops_test|ArgReduce*'
  'runtime/ops/lrn_cuda.cu|s/channel + w.after < w.channels ?/true ?/|cuda_ops_test|Lrn*'
  'runtime/ops/lrn_cuda.cu|s/channel - w.before;/channel - w.after;/|cuda_ops_test|Lrn*'
  'runtime/ops/grid_sample_cuda.cu|s/last \/ 2.0f);/half);/|cuda_ops_test|GridSample*'
  'runtime/ops/grid_sample_cuda.cu|s/if (s.padding == Padding::zeros) return -1;//|cuda_ops_test|GridSample*'
  'runtime/ops/grid_sample_cuda.cu|s/at\[kAxes - 1 - axis\]/at[axis - kAxes + s.axes]/|cuda_ops_test|GridSample*'
  'runtime/ops/grid_sample_cuda.cu|s/point \/ s.points \* s.extent\[0\]/0/|cuda_ops_test|GridSample*'
  'runtime/ops/roi_align_cuda.cu|s/^  __syncthreads();$//|cuda_ops_test|RoiAlign*'
  'runtime/ops/roi_align_cuda.cu|s/ \&\& wanted <= kMostSamples//|cuda_ops_test|RoiAlign*'
  'runtime/ops/roi_align_cuda.cu|s/image < 0 || image >= p.batch || //|cuda_ops_test|RoiAlign*'
  'runtime/ops/roi_align_cuda.cu|s/first || v > best/v > best/|cuda_ops_test|RoiAlign*'
  'runtime/ops/non_max_suppression_cuda.cu|s/^    __syncthreads();  \/\/ all have read$//|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/^    __syncthreads();  \/\/ all have written$//|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/^    __syncthreads();  \/\/ the rows are read.*$//|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/^    __syncthreads();  \/\/ all is compared$//|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/^    __syncthreads();  \/\/ it is decided$//|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/has_score ? v > score : v == v/has_score ? v > score : true/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/equal ? shared >= overlap : shared > overlap/shared > overlap/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/!(areas\[1\] > 0)) return 0/false) return 0/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/places\[first + slot\] : no_place/places[first + slot] : places[0] + 0 * no_place/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/if (run != own) to +=/if (run > own) to +=/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/own = i - i % span, begin = i - i % (span \* kSortFan)/own = i - i % span, begin = 0/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/k < count \&\& !loses; k += kParts/k < count - 1 \&\& !loses; k += kParts/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/part \* kColumns + c < row; ++c/part * kColumns + c < row - 1; ++c/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/(against \& kept) != 0/against != 0/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/rows.decide(present, lists.most - length)/rows.decide(present, lists.most)/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/list \/ lists.classes \* lists.extent \* 4/list * 0/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/if (list < first) before +=/if (list <= first) before +=/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/l = first; l < list; ++l/l = first + 1; l < list; ++l/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/row = all + global_thread()/row = all + 1 + global_thread()/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/lists_.extent > kSortSlots ? 2 : 1;/1;/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/lists_.count \* static_cast<std::int64_t>(sizeof(int));/0;/|cuda_ops_test|NonMaxSuppression*'
  'runtime/ops/non_max_suppression_cuda.cu|s/if (row >= room) return;//|cuda_counts_test|*'
  'runtime/lower/bind.cpp|s/node.waits_for() != 0) {/node.follows != 0) {/|cuda_counts_test|*'
  'runtime/session/device.cpp|s/counted ? value.info : shapes/false ? value.info : shapes/|cuda_counts_test|*'
  'runtime/session/device.cpp|s/(counts_on_device() ? kCountBytes : 0)/0/|cuda_counts_test|*'
  'runtime/session/device.cpp|s/^    status = follow_device_count(binding.steps\[s\]);$/    ;/|cuda_counts_test|*'
  'runtime/session/device.cpp|s/status = follow_device_count(binding.steps\[s - 1\]);/status = {};/|cuda_counts_test|*'
  'runtime/ops/integer_conv_cuda.cu|s/: padding;/: x;/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_plan_cuda.cpp|s/plan_.scales.x.zero, kChunk/0, kChunk/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_plan_cuda.cpp|s/tap \* rows_.pitch/tap * cin/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cpp|s/ || spec.choice == kOwn//|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cudnn_cuda.cpp|s/factor \* static_cast<float>(sum) + /factor * 0 + /|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cudnn_cuda.cpp|s/ + static_cast<float>(plan().rounding.zero)//|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cudnn_cuda.cpp|s/value \* ends_.bias_factor/value/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cudnn_cuda.cpp|s/bind(graph.high, packed + high_at())/bind(graph.high, packed + low_at())/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cudnn_graph_cuda.cpp|s/(plan.scales.x.zero == 0 || !pads(g))/true/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cudnn_graph_cuda.cpp|s/plan.from == DType::int8/true/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cudnn_graph_cuda.cpp|s/.lowest = r.low + zero/.lowest = r.low/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_plan_cuda.cpp|s/key = integer_key(plan_.scales, plan_.geometry.cout, 0)/key = 1/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_product_cuda.cpp|s/plan.scales.x.zero -= 128/plan.scales.x.zero -= 127/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_product_cuda.cpp|s/if (taken > most)/if (false)/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_product_cuda.cpp|s/plan().outputs() \* std::int64_t{sizeof(std::int32_t)}/plan().outputs()/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_product_cuda.cpp|s/plan().has_bias ? args.input<float>(2) : nullptr/nullptr/|cuda_integer_engines_test|*'
  'runtime/ops/integer_sums_cuda.cu|s/0x80808080u/0x80008080u/|cuda_integer_engines_test|*'
  'runtime/ops/integer_sums_cuda.cu|s/ + start.at\[c\]//|cuda_integer_engines_test|*'
  'runtime/ops/integer_sums_cuda.cu|s/4 \* four + c,/four + c,/|cuda_integer_engines_test|*'
  'runtime/cuda/cublaslt/matmul.cpp|s/return CUBLAS_COMPUTE_32I;/return CUBLAS_COMPUTE_32F;/|cuda_integer_engines_test|*'
  'runtime/ops/integer_conv_cuda.cu|s/multiply<X, int>/multiply<std::int8_t, int>/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/place(window, ++tap, c)/place(window, tap, c)/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/<< (8 \* i)/<< (8 * (3 - i))/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/copy_async<kWord>(to, from, true)/copy_async<kWord>(to, padding, true)/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/x + pixel \* o.cin + c : padding/x + pixel * o.cin : padding/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/filter \* o.row_bytes + k/filter * o.depth + k/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/ + starts\[channel\]//|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/pixel\[c\] - o.zero/pixel[c]/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_results.cuh|s/rintf(v)/v/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_results.cuh|s/fmaf(static_cast<float>(sum), factors\[channel\], start)/static_cast<float>(sum) * factors[channel] + start/|cuda_ops_test|IntegerConv*'
  'runtime/ops/integer_conv_cuda.cu|s/if (!tap.inside) continue;//|cuda_ops_test|IntegerConv*'
  'runtime/cuda/window.cuh|s/- w.pad\[i\] + tap/- w.pad[i] + 1 + tap/|cuda_ops_test|Pool*'
  'runtime/cuda/copy.cu|s/read += index \* loop.from/read += index * loop.to/|cuda_ops_test|Transpose*'
  'runtime/ops/gather_cuda.cu|s/table \/ s.outer \* s.count/table * s.count/|cuda_ops_test|Gather.*'
  'runtime/ops/gather_cuda.cu|s/    \*bad_value = 1;//|cuda_ops_test|Gather.*'
  'runtime/cuda/indices.cuh|s/index < extent ? index/index <= extent ? index/|cuda_ops_test|Gather.*'
  'runtime/cuda/indices.cuh|s/if (index < 0) return index + extent;//|cuda_ops_test|Gather.*'
  'runtime/cuda/indices.cuh|s/strides\[at(axis)\] = 0;//|cuda_ops_test|GatherElements*'
  'runtime/cuda/indices.cuh|s/place \* extents_\[i\] + index/place * extents_[0] + index/|cuda_ops_test|GatherNd*'
  'runtime/ops/tile_cuda.cpp|s/add(y\[axis\] \/ x\[axis\], 0)/add(y[axis] \/ x[axis], strides[at(axis)])/|cuda_ops_test|Tile*'
  'runtime/ops/tile_cuda.cpp|s/last >= 0 \&\& walk.from\[at(last)\] == extent \* stride/last >= 0/|cuda_ops_test|Tile*'
  'runtime/ops/tile_cuda.cpp|s/if (last + 1 == kMaxRank) refuse.*$//|cuda_ops_test|Tile*'
  'runtime/ops/trilu_cuda.cu|s/row % t.rows/row/|cuda_ops_test|Trilu*'
  'runtime/ops/trilu_cuda.cu|s/diagonal >= t.k/diagonal > t.k/|cuda_ops_test|Trilu*'
  'runtime/ops/trilu_cuda.cu|s/t.upper ? //;s/ : diagonal <= t.k//|cuda_ops_test|Trilu*'
  'runtime/ops/one_hot_cuda.cu|s/ == row - outer \* y_axes.extent/ == row/|cuda_ops_test|OneHot*'
  'runtime/ops/one_hot_cuda.cu|s/ + (i - row \* y_axes.inner)//|cuda_ops_test|OneHot*'
  'runtime/ops/one_hot_cuda.cu|s/? 1 : 0\]/? 0 : 1]/|cuda_ops_test|OneHot*'
  'runtime/ops/gather_nd_cuda.cu|s/n \/ blocks.per_batch \* blocks.of_batch + place/place/|cuda_ops_test|GatherNd*'
  'runtime/ops/gather_nd_cuda.cu|s/ + (i - n \* blocks.size)//|cuda_ops_test|GatherNd*'
  'runtime/ops/gather_nd_cuda.cu|s/    \*bad_value = 1;//|cuda_ops_test|GatherElements*'
  'runtime/ops/cumulative_cuda.cu|s/^  __syncthreads();  \/\/ every piece.*$//|cuda_ops_test|Cumulative*'
  'runtime/ops/cumulative_cuda.cu|s/^    __syncthreads();  \/\/ all have read$//|cuda_ops_test|Cumulative*'
  'runtime/ops/cumulative_cuda.cu|s/^    __syncthreads();  \/\/ all have written$//|cuda_ops_test|Cumulative*'
  'runtime/ops/cumulative_cuda.cu|s/lines.exclusive ? before : total/total/|cuda_ops_test|Cumulative*'
  'runtime/ops/cumulative_cuda.cu|s/reverse ? extent - 1 - i : i/i/|cuda_ops_test|Cumulative*'
  'runtime/ops/cumulative_cuda.cu|s/ + line % inner;/;/|cuda_ops_test|Cumulative*'
  'runtime/ops/cumulative_cuda.cu|s/totals\[threadIdx.x - 1\]/totals[threadIdx.x]/|cuda_ops_test|Cumulative*'
  'runtime/ops/cumulative_cuda.cu|s/end = min(begin + piece, lines.extent)/end = begin + piece/|cuda_ops_test|Cumulative*'
  'runtime/ops/scatter_nd_cuda.cu|s/ \/ u.inner \* u.steps \* u.inner + line % u.inner//|cuda_ops_test|Scatter*'
  'runtime/ops/scatter_nd_cuda.cu|s/y < x || y != y ? b : a/y < x ? a : b/|cuda_ops_test|Scatter*'
  'runtime/ops/scatter_nd_cuda.cu|s/atomicMax(last + place, static_cast<std::int32_t>(n))/last[place] = static_cast<std::int32_t>(n)/|cuda_ops_test|Scatter*'
  'runtime/ops/scatter_nd_cuda.cu|s/ \&\& last\[place\] == n//|cuda_ops_test|Scatter*'
  'runtime/ops/scatter_nd_cuda.cu|s/last, 0, last_bytes_/last, 1, last_bytes_/|cuda_ops_test|Scatter*'
  'runtime/ops/scatter_nd_cuda.cu|s/(spec.input(0).elements() \/ updates.block)/(1)/|cuda_ops_test|Scatter*'
  'runtime/ops/scatter_nd_cuda.cu|0,/    \*bad_value = 1;/s/    \*bad_value = 1;//|cuda_ops_test|Scatter*'
  'runtime/ops/scatter_nd_cuda.cu|s/y != args.input<void>(0) \&\& bytes_ > 0/false/|cuda_ops_test|Scatter*'
  'runtime/ops/reverse_sequence_cuda.cu|s/length - 1 - t : t/length - t : t/|cuda_ops_test|ReverseSequence*'
  'runtime/ops/reverse_sequence_cuda.cu|s/ || length > time.extent//|cuda_ops_test|ReverseSequence*'
  'runtime/ops/reverse_sequence_cuda.cu|s/lengths\[batch.index_of(i)\]/lengths[time.index_of(i)]/|cuda_ops_test|ReverseSequence*'
  'runtime/ops/reverse_sequence_cuda.cu|s/if (elements_ == 0) refuse.*$//|cuda_ops_test|ReverseSequence*'
  'runtime/cuda/epilogue.cuh|s/residual\[element\]/residual[channel]/|cuda_ops_test|Conv*'
  'runtime/ops/conv_cudnn_graph_cuda.cpp|s/if (adds_bias) add(result.bias, row);//|cuda_ops_test|Conv*'
  'runtime/ops/conv_cudnn_graph_cuda.cpp|s/g.pad_begin, g.pad_end, g.stride/g.pad_end, g.pad_begin, g.stride/|cuda_ops_test|Conv*'
  'runtime/ops/conv_cudnn_cuda.cpp|s/return engine_.plan.workspace;/return 0;/|cuda_ops_test|Conv*'
  'runtime/cuda/product_tiles.cuh|s/^    __syncthreads();.*$//|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/^    wait_copy_groups<kStages - 2>();$//|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/^    wait_copy_groups<kStages - 2>/    wait_copy_groups<kStages - 1>/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/bring(next)/bring(step)/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/lane % 16\]\[k/lane % 8][k/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/place >= 0 \&\& place < w.in/place < w.in/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/cublaslt/matmul.cpp|s/MATMUL_DESC_TRANSA, turned(p.transpose_b)/MATMUL_DESC_TRANSA, turned(p.transpose_a)/|cuda_ops_test|MatMul*'
  'runtime/cuda/module.cpp|s/latch(kind == SKIFF_MEMORY_DEVICE/if (kind != SKIFF_MEMORY_DEVICE) latch(kind == SKIFF_MEMORY_DEVICE/|cuda_faults_test|*'
  'runtime/cuda/program.cpp|s/static_cast<void>(cudaStreamEndCapture(device_.stream(), graph.out()));//|cuda_faults_test|*'
  'runtime/cuda/product_tiles.cuh|s/lane \/ 4 + n \/ 2 \* 8/lane \/ 4 + n % 2 * 8/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/column + j \* 8 + lane % 4/column + j * 4 + lane % 4/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/filter < filters) put/filter <= filters) put/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/pixel < pixels \&\& filter/filter/|cuda_ops_test|Conv.Narrow*'
  'runtime/ops/conv_mma_cuda.cu|s/s.cin + k % s.cin : x, good/s.cin : x, good/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/at\[i\] \* w.dilation\[i\]/at[i]/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/number % w.kernel\[i\]/number % w.kernel[2]/|cuda_ops_test|Conv.Narrow*'
  'runtime/cuda/product_tiles.cuh|s/^    __syncthreads();.*$//|cuda_ops_test|IntegerConv.AtTheEdges*'
  'runtime/cuda/product_tiles.cuh|s/^    wait_copy_groups<kStages - 2>();$//|cuda_ops_test|IntegerConv.AtTheEdges*'
  'runtime/cuda/product_tiles.cuh|s/lane \/ 8 % 2 \* kChunk/lane \/ 16 * kChunk/|cuda_ops_test|IntegerConv.AtTheEdges*'
  'runtime/cuda/product_tiles.cuh|s/lane \/ 16 \* 8 + lane % 8/lane % 16/|cuda_ops_test|IntegerConv.AtTheEdges*'
  'runtime/ops/conv_mma_cuda.cu|s/element, static_cast<int>(filter)/element, static_cast<int>(filter % 64)/|cuda_ops_test|Conv.Narrow*'
  'runtime/ops/conv_plan_cuda.cpp|s/ \&\& plan.geometry.groups == 1//|cuda_ops_test|Conv.OtherTypes:Conv.Groups:Conv.RandomForms'
  'runtime/ops/attention_cuda.cu|s/^    __syncthreads();.*$//|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/row \* rows.row/row * rows.head/|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/head \/ (g.heads \/ g.kv_heads)/head % g.kv_heads/|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/? query + 1 : g.keys/? query : g.keys/|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/shrink = hidden ? 1.0f : expf(largest - next)/shrink = 1.0f/|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/shares\[i\] = hidden ? 0.0f : /shares[i] = /|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/masked + key \* g.mask/masked + i * g.mask/|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/query \* g.mask\[2\]/query * g.mask[3]/|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/kv_head, begin + i) + e/kv_head, i) + e/|cuda_ops_test|Attention*'
  'runtime/ops/attention_cuda.cu|s/tanhf(score \/ g.softcap)/tanhf(score)/|cuda_ops_test|Attention*'
  'runtime/ops/pointwise_chain_cuda.cu|s/i >= count/i > count/|cuda_chain_test|*'
  'runtime/ops/pointwise_chain_cuda.cu|s/ends.read(n, from\[n\])/ends.read(n, static_cast<unsigned>(i))/|cuda_chain_test|*'
  'runtime/ops/pointwise_chain_cuda.cu|s/to_float(from_float<T>(value))/value/|cuda_chain_test|*'
  'runtime/ops/pointwise_chain_cuda.cu|s/(i), next\[-1\])/(i), slots[chain.inputs])/|cuda_chain_test|*'
  'runtime/ops/pointwise_chain_cuda.cu|s/stored - s.zero_point()/stored/|cuda_ops_test|PointwiseChain*'
  'runtime/ops/pointwise_chain_cuda.cu|s/return is_signed ? \*/return !is_signed ? */|cuda_ops_test|PointwiseChain*'
  'runtime/ops/pointwise_chain_cuda.cu|s/else if (result.is_signed)/else if (!result.is_signed)/|cuda_ops_test|PointwiseChain*'
  'runtime/ops/pointwise_chain_cuda.cu|s/= scale_of(plan_.chain.stored\[i\]/= scale_of(plan_.chain.stored[0]/|cuda_ops_test|PointwiseChain*'
  'runtime/ops/pointwise_chain_cuda.cpp|s/ \&\& plan_.stored\[i\] == plan_.result;/;/|cuda_ops_test|PointwiseChain*'
  'runtime/ops/quantize_cuda.cu|s/row % rows.extent/row % rows.blocks/|cuda_ops_test|Quantize*'
  'runtime/cuda/quantized.cuh|s/nearbyintf(v)/v/|cuda_ops_test|Quantize*'
  'runtime/cuda/quantized.cuh|s/static_cast<int>(nearbyintf(v)) + zero/static_cast<int>(nearbyintf(v))/|cuda_ops_test|Quantize*:PointwiseChain*'
  'runtime/graph/fuse_quantized.cpp|s/return which_ == Chains::all ||/return which_ != Chains::all ||/|cuda_chain_test|*'
  'runtime/ops/quantize_cuda.cu|s/element % rows.length \* rows.step/0/|cuda_ops_test|Quantize*'
  'runtime/ops/squeeze_excite_cuda.cu|0,/^    __syncthreads();$/s/^    __syncthreads();$//|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/^    __syncthreads();  .*$//|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/\* run \/ s.parts/* run \/ (s.parts + 1)/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/s.parts + part) \* s.slices/s.parts + part) * s.parts/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/unit += kThreads) {/unit += 2 * kThreads) {/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/partial + image \* s.partials() \* s.hidden/partial/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/min(begin + kTile, s.pixels)/begin + kTile/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/const bool inside = channel < s.channels/const bool inside = true/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/(f \* to + t) \* size/(t * from + f) * size/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/squeeze_excite_cuda.cu|s/images_ \* plan_.partials()/plan_.partials()/|cuda_ops_test|SqueezeExcite*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/pack, "u;/1, "u;/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/" \* ", stride, "u"/" * ", 1, "u"/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/if (i >= ", plan.count/if (i > ", plan.count/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/? message("p", n, ".of\[", k/? message("p", n, ".of[", 0/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/"dequantize(x", i, " - ", zero_of(integers)/"dequantize(x", i, " - 0"/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/return "unsigned char"/return "signed char"/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/strides\[n\]\[axis\] : 0;/strides[n][axis] : 1;/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_source_cuda.cpp|s/return plan.places.extents.*;/return true;/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_compiled_cuda.cpp|s/packs_ ? plan_.count \/ kChainPack : plan_.count/plan_.count \/ kChainPack/|cuda_compiled_chain_test|*'
  'runtime/ops/pointwise_chain_cuda.cpp|s/if (spec.exact || context_lost()) throw;/throw;/|cuda_compiled_chain_test|*'
  'runtime/cuda/jit/code_store.cpp|s/? code : "";/? code : code;/|cuda_compiled_chain_test|*'
  'runtime/cuda/jit/code_store.cpp|s/CUDART_VERSION, " ", architecture_,/CUDART_VERSION,/|cuda_compiled_chain_test|*'
  'runtime/cuda/footprint.cpp|s/ - w->allocated;/;/|cuda_footprint_test|*'
  'runtime/cuda/footprint.cpp|s/(\*used - \*w->before)/(*used)/|cuda_footprint_test|*'
  'runtime/cuda/jit/nvrtc.cpp|s/if (program != nullptr) static_cast<void>(destroy(&program));//|cuda_compiled_chain_test|*'
  'runtime/cuda/jit/code.cpp|s/latch(static_cast<cudaError_t>(driver().unload(code)));.*//|cuda_compiled_chain_test|*'
  'runtime/graph/fuse_squeeze_excite.cpp|s/return readers_.only(id) >= 0 ?/return true ?/|cuda_squeeze_test|*'
  'runtime/graph/fuse_squeeze_excite.cpp|s/node(n).inputs\[0\] != image/false/|cuda_squeeze_test|*'
  'runtime/graph/fuse_squeeze_excite.cpp|s/ \&\& g.groups == 1//|cuda_squeeze_test|*'
  'runtime/ops/conv_stem_cuda.cu|s/^    if (row > 0) __syncthreads();$//|cuda_ops_test|PixelConv.LargeWindows'
  'runtime/ops/conv_stem_cuda.cu|s/^    __syncthreads();$//|cuda_ops_test|PixelConv*'
  'runtime/ops/conv_stem_cuda.cu|s/factor \*= number, term \*= number;/factor *= number;/|cuda_ops_test|PixelConv.Steps'
  'runtime/ops/conv_stem_cuda.cu|s/factor \/= number, term \/= number;/factor \/= number;/|cuda_ops_test|PixelConv.Steps'
  'runtime/ops/conv_stem_cuda.cu|s/step\[s\].each \* channel/channel/|cuda_ops_test|PixelConv.Steps'
  'runtime/ops/conv_stem_cuda.cu|s/fmaf(number, factors\[c\], terms\[c\])/fmaf(number, factors[0], terms[0])/|cuda_ops_test|PixelConv*'
  'runtime/ops/conv_stem_cuda.cu|s/if (taps\[p\] != nullptr) {/if (taps[p] == nullptr) { number = terms[c]; } else {/|cuda_ops_test|PixelConv*'
  'runtime/ops/conv_stem_cuda.cu|s/row % s.out\[0\] \* s.stride\[0\]/row % s.out[0] * s.stride[1]/|cuda_ops_test|PixelConv*:StemConv*'
  'runtime/ops/conv_stem_cuda.cu|s/left + v \* s.dilation\[1\]/left + v/|cuda_ops_test|StemConv*'
  'runtime/ops/conv_stem_cuda.cu|s/top + h \* s.dilation\[0\]/top + h/|cuda_ops_test|PixelConv*'
  'runtime/ops/conv_stem_cuda.cu|s/ || row >= s.in\[0\]//|cuda_ops_test|StemConv*'
  'runtime/ops/conv_stem_cuda.cu|s/row \/ s.out\[0\]) \* s.in\[0\]/row \/ s.out[0])/|cuda_ops_test|PixelConv*'
  'runtime/ops/conv_stem_cuda.cu|s/row \* length + k\]/k]/|cuda_ops_test|PixelConv.LargeWindows'
  'runtime/ops/conv_stem_cuda.cu|s/const bool inside = first + channel < s.cout;/const bool inside = true;/|cuda_ops_test|PixelConv*'
  'runtime/ops/conv_stem_cuda.cu|s/if (first + c < s.cout) y/y/|cuda_ops_test|PixelConv*'
  'runtime/ops/conv_stem_cuda.cu|s/{s, pixel + kThreads}/{s, pixel}/|cuda_ops_test|PixelConv.AsNetworksBegin'
  'runtime/ops/conv_stem_cuda.cu|s/value += to_float(epilogue.residual\[element\]);/;/|cuda_ops_test|StemConv*'
  'runtime/ops/conv_stem_cuda.cu|s/StoredWeightsConv(plan, inputs.weights)/StoredWeightsConv(plan)/|cuda_ops_test|PixelConv.HalfStoredWeights'
  'runtime/graph/pixel_chain.cpp|s/producer < 0 || readers.only(value) < 0/producer < 0/|cuda_pixels_test|*'
  'runtime/graph/pixel_chain.cpp|s/^  std::reverse(chain.pixels.steps.begin.*$//|cuda_pixels_test|*'
  'runtime/ops/conv_cuda.cpp|s/ plan.tf32 ? " as tf32" : "",//|cuda_tf32_test|*'
  'runtime/ops/conv_cudnn_graph_cuda.cpp|s/exact ? cudnn::TensorCores::never : //|cuda_tf32_test|*'
  'runtime/ops/matmul_cuda.cpp|s/ p.tf32 ? " as tf32" : "",//|cuda_tf32_test|*'
  'runtime/cuda/cublaslt/matmul.cpp|s/p.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F/CUBLAS_COMPUTE_32F_FAST_TF32/|cuda_tf32_test|*'
  'runtime/tune/tuner.cpp|s/message(machine_, "\\n", choices.group)/choices.group/|cuda_tune_test|*'
  'runtime/tune/tuner.cpp|s/(\*ms < best.ms)/(best.name == nullptr || *ms > best.ms)/|cuda_tune_test|*'
  'runtime/tune/tuner.cpp|s/best.ms \* kClose/best.ms/|cuda_tune_test|*'
  'runtime/tune/tuner.cpp|s/if (most_workspace != UINT64_MAX) question += .*$//|cuda_tune_test|*'
  'runtime/tune/tuner.cpp|s/^  remember(key, algorithm);$//|cuda_tune_test|*'
  'runtime/tune/tuner.cpp|s/^  found_.put(key, algorithm);$//|cuda_tune_test|*'
  'runtime/tune/tuner.cpp|s/if (!reads_) return "";//|cuda_tune_test|*'
  'runtime/tune/tuner.cpp|s/name.c_str(), true}/name.c_str(), false}/|cuda_tune_test|*'
  'runtime/session/tune.cpp|s/better ? calls\[i\].second : calls\[i\].first/better ? calls[i].first : calls[i].second/|cuda_tune_test|*'
  'runtime/session/session.cpp|s/if (tuner) tuner->save();//|cuda_tune_test|*'
  'runtime/tune/plan_cache.cpp|s/if (digest != digest_of(text)) return false;//|plan_cache_test|*'
  'runtime/tune/plan_cache.cpp|s/ \&\&$/ ||/;s/line.size() > kDigits ||/line.size() > kDigits \&\&/|plan_cache_test|*'
  'runtime/tune/plan_cache.cpp|s/all.entries_\[key\] = algorithm;/all.entries_.emplace(key, algorithm);/|plan_cache_test|*'
  'runtime/tune/plan_cache.cpp|s/static_cast<void>(all.load(path, ignored));.*$//|plan_cache_test|*'
  'runtime/session/prepare.cpp|s/std::swap(other.parts\[s\].tables, .*$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/ || find_prepared(symbols) != nullptr) return;/) return;/|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/^    prepared.pop_back();$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/^    memory.other += taken;$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/^    memory.total += taken;$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/^  adopt_again(before);$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/^    adopt_again(before);$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|0,/^  exchange(other);$/s/^  exchange(other);$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/^    exchange(other);$//|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/limit() == 0 || memory.total + taken <= limit()/true/|cuda_shapes_test|*'
  'runtime/session/prepare.cpp|s/^    tuner->save();$//|cuda_tune_test|*'
)

changes() { ! sed "$2" "$1" | cmp -s "$1"; }  # file, what sed does
take_apart() {  # sets file, change, program and filter; || is one of the change's own
  IFS='|' read -r file change program filter <<< "${1//||/$'\a'}"
  change=${change//$'\a'/||}
}

if [ -n "$fit" ]; then
  code=0
  declare -A broken
  for mutation in "${mutations[@]}"; do
    take_apart "$mutation"
    changes "$file" "$change" || { echo "STALE     $file: nothing matches $change"; code=1; }
    broken[$file]=yes
  done
  while read -r file; do
    [ -n "${broken[$file]:-}" ] || { echo "UNTRIED   $file: no defect is made in it"; code=1; }
  done < <(find runtime/cuda runtime/ops -regex 'runtime/\(cuda/.*\|ops/.*_cuda\)\.\(cu\|cuh\|cpp\)')
  exit $code
fi

copy=$build/mutations
mkdir -p "$copy"
git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$copy"
# The folder and the options of BUILD: what it compiled need not be compiled again where there is ccache.
werror=$(sed -n 's/^SKIFF_WERROR:BOOL=//p' "$build/CMakeCache.txt")
cmake -S "$copy" -B "$copy/build/cpu" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSKIFF_CUDA=OFF \
  -DSKIFF_TESTS=ON -DSKIFF_WERROR="${werror:-OFF}" -Wno-dev > /dev/null || exit
# Warnings that a defect may bring are no errors.
tolerant=
for kind in unused-{parameter,variable,function,but-set-parameter,but-set-variable} parentheses; do
  tolerant+="#pragma GCC diagnostic ignored \"-W$kind\""$'\n'
done
# The module is built anew and the program is the one in BUILD, except where the program itself holds
# what was broken.
in_module() { [[ $1 == runtime/cuda/* || $1 == runtime/ops/*_cuda.* ]]; }

run_tests() {  # file, program, filter
  local folder=$build
  in_module "$1" || folder=$copy/build/cpu
  SKIFF_CUDA_MODULE=$copy/build/cpu/tests/cuda/libraries/libskiff_cuda.so timeout 300 \
    "$folder/$2" --gtest_fail_fast --gtest_brief=1 --gtest_filter="$3" > "$copy/log.txt" 2>&1
}

# What is broken when this is stopped would stay so for the next time.
file=
trap '[ -z "$file" ] || cp "$file" "$copy/$file"' EXIT

commit=$(git rev-parse --short=7 HEAD 2> /dev/null || echo 0)
in_sample() {  # file
  local sum
  read -r sum _ < <(cksum <<< "$1")
  [ $(((sum + 0x$commit) % shares)) -eq 0 ]
}

survived=0 tried=0
declare -A seen
for mutation in "${mutations[@]}"; do
  [[ $mutation =~ $pattern ]] || continue
  [ -z "$few" ] || [ -z "${seen[${mutation%%|*}]:-}" ] || continue
  seen[${mutation%%|*}]=yes
  in_sample "${mutation%%|*}" || continue
  tried=$((tried + 1))
  take_apart "$mutation"
  targets=skiff_cuda_emulated
  in_module "$file" || targets="$targets $program"
  { printf %s "$tolerant"; sed "$change" "$file"; } > "$copy/$file"
  # shellcheck disable=SC2086
  if ! changes "$file" "$change"; then
    echo "STALE     $file: nothing matches $change"
    survived=$((survived + 1))
  elif ! ninja -C "$copy/build/cpu" $targets > "$copy/log.txt" 2>&1; then
    tail -5 "$copy/log.txt"
    echo "BROKEN    $file: $change"
    survived=$((survived + 1))
  elif run_tests "$file" "$program" "$filter"; then
    echo "SURVIVED  $file: $change"
    survived=$((survived + 1))
  else
    echo "killed    $file: $change"
  fi
  cp "$file" "$copy/$file"
done
echo "$((tried - survived)) of $tried mutations killed"
[ "$survived" -eq 0 ]
