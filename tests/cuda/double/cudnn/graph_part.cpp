// cuDNN consists of several libraries; the module looks for this one before it calls any.
extern "C" __attribute__((visibility("default"))) int cudnn_graph_part() { return 0; }
