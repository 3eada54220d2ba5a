// The kernel of the native executor: a TensorFlow op that updates all parameters of a step in one call. What it does to one
// element is generated from the traced rule and loaded by `load`; here is what surrounds that: the op, the checks, threads.
#include <dlfcn.h>
#include <link.h>
#include <node_api.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace {

// TensorFlow's public C API, as far as it is used: the same since 2.4. Declared here and looked up in whichever library the
// process has loaded, because its name differs between TensorFlow's distributions.
struct TF_Status;
struct TF_Tensor;
struct TF_OpDefinitionBuilder;
struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
constexpr int TF_OK = 0, TF_INVALID_ARGUMENT = 3, TF_FLOAT = 1;

#define TENSORFLOW(F)                                                                                              \
  F(TF_Status*, TF_NewStatus, ())                                                                                  \
  F(void, TF_DeleteStatus, (TF_Status*))                                                                           \
  F(void, TF_SetStatus, (TF_Status*, int, const char*))                                                            \
  F(int, TF_GetCode, (const TF_Status*))                                                                           \
  F(const char*, TF_Message, (const TF_Status*))                                                                   \
  F(TF_OpDefinitionBuilder*, TF_NewOpDefinitionBuilder, (const char*))                                             \
  F(void, TF_OpDefinitionBuilderAddAttr, (TF_OpDefinitionBuilder*, const char*))                                   \
  F(void, TF_OpDefinitionBuilderAddInput, (TF_OpDefinitionBuilder*, const char*))                                  \
  F(void, TF_OpDefinitionBuilderAddOutput, (TF_OpDefinitionBuilder*, const char*))                                 \
  F(void, TF_OpDefinitionBuilderSetIsStateful, (TF_OpDefinitionBuilder*, bool))                                    \
  F(void, TF_RegisterOpDefinition, (TF_OpDefinitionBuilder*, TF_Status*))                                          \
  F(TF_KernelBuilder*, TF_NewKernelBuilder,                                                                        \
    (const char*, const char*, void* (*)(TF_OpKernelConstruction*), void (*)(void*, TF_OpKernelContext*), void (*)(void*))) \
  F(void, TF_RegisterKernelBuilder, (const char*, TF_KernelBuilder*, TF_Status*))                                  \
  F(int, TF_NumInputs, (TF_OpKernelContext*))                                                                      \
  F(int, TF_NumOutputs, (TF_OpKernelContext*))                                                                     \
  F(void, TF_GetInput, (TF_OpKernelContext*, int, TF_Tensor**, TF_Status*))                                        \
  F(TF_Tensor*, TF_AllocateOutput, (TF_OpKernelContext*, int, int, const int64_t*, int, size_t, TF_Status*))       \
  F(void, TF_OpKernelContext_Failure, (TF_OpKernelContext*, TF_Status*))                                           \
  F(void, TF_DeleteTensor, (TF_Tensor*))                                                                           \
  F(int, TF_NumDims, (const TF_Tensor*))                                                                           \
  F(int64_t, TF_Dim, (const TF_Tensor*, int))                                                                      \
  F(int64_t, TF_TensorElementCount, (const TF_Tensor*))                                                            \
  F(void*, TF_TensorData, (const TF_Tensor*))

#define DECLARE(result, name, arguments) result(*name) arguments;
struct TensorFlow {
  TENSORFLOW(DECLARE)
} tf;

/** Looks the functions up in one loaded library. Returns the name of the first that it lacks, or null. */
const char* lookUp(void* library) {
#define LOOK_UP(result, name, arguments) \
  if (!(tf.name = reinterpret_cast<result(*) arguments>(dlsym(library, #name)))) return #name;
  TENSORFLOW(LOOK_UP)
  return nullptr;
}

std::string baseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::vector<std::string> loadedLibraries() {
  std::vector<std::string> paths;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* found) {
        static_cast<std::vector<std::string>*>(found)->push_back(info->dlpi_name);
        return 0;
      },
      &paths);
  return paths;
}

void findTensorFlow() {
  std::string problem = "no TensorFlow is loaded";
  for (const std::string& path : loadedLibraries()) {
    if (baseName(path).find("tensorflow") == std::string::npos) continue;
    void* library = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (!library) continue;
    const char* missing = lookUp(library);
    if (!missing) return;  // the handle is kept: TensorFlow must not be unloaded
    problem = path + " has no " + missing;
    dlclose(library);
  }
  throw std::runtime_error(problem);
}

/** TensorFlow ends the process when a second op of the same name is registered. */
void refuseSecondCopy() {
  Dl_info own;
  if (!dladdr(reinterpret_cast<void*>(&refuseSecondCopy), &own)) return;
  for (const std::string& path : loadedLibraries()) {
    if (path != own.dli_fname && baseName(path) == baseName(own.dli_fname)) {
      throw std::runtime_error("another copy of it is loaded: " + path);
    }
  }
}

constexpr int most = 32;  // tensors of one parameter

/** An update rule: `update(scalars, inputs, outputs, n)`. An output may be the memory of the input that it replaces. */
struct Rule {
  using Update = void (*)(const float*, const float* const*, float* const*, int64_t);
  Update update;
  Update stream;  // past the caches for the new parameter, which is at a multiple of 16 bytes; `n` is one of `line`
  int scalars, inputs, outputs;
  const int* replaces;  // by output
};
std::mutex rulesLock;
std::deque<Rule> rules;  // keeps its elements where they are

/** Some of the elements of one parameter. */
struct Chunk {
  const Rule* rule;
  Rule::Update update;
  const float* scalars;
  const float* const* inputs;
  float* const* outputs;
  int64_t from, count;
};
void run(const Chunk& chunk) {
  const float* inputs[most];
  float* outputs[most];
  for (int i = 0; i < chunk.rule->inputs; i++) inputs[i] = chunk.inputs[i] + chunk.from;
  for (int i = 0; i < chunk.rule->outputs; i++) outputs[i] = chunk.outputs[i] + chunk.from;
  chunk.update(chunk.scalars, inputs, outputs, chunk.count);
}

/** Denormals count as zero while it lives, as in all of TensorFlow's kernels. */
class FlushDenormals {
#if defined(__SSE__)
  unsigned saved = _mm_getcsr();

 public:
  FlushDenormals() { _mm_setcsr(saved | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(saved); }
#elif defined(__aarch64__)
  uint64_t saved;

 public:
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(saved));
    asm volatile("msr fpcr, %0" ::"r"(saved | (1u << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(saved)); }
#else
#error "this CPU's way of flushing denormals is not known"
#endif
};

constexpr int64_t line = 16;  // values
/** Sizes of chunks: many, so that no thread waits long for another, and long, as the hardware reads ahead. */
constexpr int64_t smallest = 16384, largest = 131072;
/** Tensors that have more bytes together push each other out of the caches: to write past them saves to read them first. */
constexpr int64_t cached = 32 << 20;

/** The chunks of one call. Whoever works on it takes the next one until there is none. */
struct Work {
  std::vector<Chunk> chunks;
  std::atomic<size_t> next{0}, finished{0};

  void help() {
    FlushDenormals flush;
    for (size_t i; (i = next.fetch_add(1)) < chunks.size();) {
      run(chunks[i]);
      finished.fetch_add(1, std::memory_order_release);
    }
  }
};

/** Lets whoever else wants this core have it: it may be the thread that is waited for. */
inline void rest() { std::this_thread::yield(); }

/**
 * Threads that help with one piece of work at a time. They live as long as the process, which may end while they wait. To
 * wake one takes as long as a small step, so they are called when JavaScript begins the call, and then look out for a while.
 */
class Helpers {
  std::mutex lock;
  std::condition_variable wake;
  std::shared_ptr<Work> work;
  std::atomic<uint64_t> calls{0}, rounds{0};
  int count = 0;

  void serve() {
    uint64_t call = 0, round = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> held(lock);
        wake.wait(held, [&] { return calls != call || rounds != round; });
        call = calls;
      }
      const auto patience = std::chrono::steady_clock::now() + std::chrono::microseconds(300);
      while (rounds == round && std::chrono::steady_clock::now() < patience) rest();
      std::shared_ptr<Work> mine;
      {
        std::lock_guard<std::mutex> held(lock);
        round = rounds;
        mine = work;
      }
      if (mine) mine->help();
    }
  }

  void grow(int wanted) {
    sigset_t all, before;  // signals are for Node's own threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; count < wanted; count++) std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {
      // no thread to be had: fewer do it as well
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

 public:
  void call(int threads) {
    {
      std::lock_guard<std::mutex> held(lock);
      grow(threads - 1);
      calls++;
    }
    wake.notify_all();
  }

  void finish(const std::shared_ptr<Work>& given) {
    {
      std::lock_guard<std::mutex> held(lock);
      work = given;
      rounds++;
    }
    wake.notify_all();
    given->help();
    while (given->finished.load(std::memory_order_acquire) < given->chunks.size()) rest();
    std::lock_guard<std::mutex> held(lock);
    if (work == given) work = nullptr;
  }
};
Helpers& helpers = *new Helpers;

struct Status {
  TF_Status* status = tf.TF_NewStatus();
  ~Status() { tf.TF_DeleteStatus(status); }
  void check() const {
    if (tf.TF_GetCode(status) != TF_OK) throw std::runtime_error(tf.TF_Message(status));
  }
};

/** The tensors of one call, given back at its end. */
struct Tensors {
  std::vector<TF_Tensor*> all;
  ~Tensors() {
    for (TF_Tensor* t : all) tf.TF_DeleteTensor(t);
  }
};

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("malformed call: ") + what);
}

/**
 * The script of the call that this thread is about to make, in JavaScript's memory: the number of threads; then for each
 * job a rule, the number of its parameters and its scalars; and for each of these parameters its size, the outputs (by bits)
 * that get a tensor of their own, and for each input the address of its values or 0. The others are the inputs of the op, in
 * this order; the gradient is always one. An output without a tensor of its own is written into what it replaces. After the
 * masks of a parameter's outputs there is room for the addresses of the new ones.
 */
thread_local double* script = nullptr;
thread_local size_t scriptLength = 0;

float* pointer(double address) { return reinterpret_cast<float*>(static_cast<uintptr_t>(address)); }
double address(const void* values) { return static_cast<double>(reinterpret_cast<uintptr_t>(values)); }

void update(TF_OpKernelContext* context) {
  Status status;
  Tensors inputs, outputs;
  const int given = tf.TF_NumInputs(context), asked = tf.TF_NumOutputs(context);
  double* word = script;
  double* const end = script + scriptLength;
  script = nullptr;
  require(word && end > word, "no script");
  const int threads = static_cast<int>(*word++);

  struct Parameter {
    const Rule* rule;
    const float* scalars;
    int64_t size;
    size_t inputs, outputs;  // where its pointers begin
    bool apart;              // whether its new values have a place of their own, at a multiple of 16 bytes
  };
  std::vector<Parameter> parameters;
  std::deque<std::vector<float>> scalars;
  std::vector<const float*> read;
  std::vector<float*> written;
  int64_t values = 0, bytes = 0;
  while (word < end) {
    require(end - word >= 2, "a job without its head");
    const Rule* rule;
    {
      std::lock_guard<std::mutex> held(rulesLock);
      require(word[0] >= 0 && word[0] < rules.size(), "no such rule");
      rule = &rules[static_cast<size_t>(word[0])];
    }
    const int64_t count = static_cast<int64_t>(word[1]);
    word += 2;
    require(end - word >= rule->scalars, "a job without its scalars");
    scalars.emplace_back(word, word + rule->scalars);
    word += rule->scalars;
    for (int64_t k = 0; k < count; k++) {
      require(end - word >= 2 + rule->inputs + rule->outputs, "a parameter without its end");
      const int64_t size = static_cast<int64_t>(word[0]);
      const uint32_t fresh = static_cast<uint32_t>(word[1]);
      word += 2;
      parameters.push_back({rule, scalars.back().data(), size, read.size(), written.size(), false});
      values += size;
      bytes += size * (rule->inputs + 1) * sizeof(float);
      TF_Tensor* shaped = nullptr;
      for (int i = 0; i < rule->inputs; i++, word++) {
        if (*word == 0) {
          require(int(inputs.all.size()) < given, "too few tensors");
          tf.TF_GetInput(context, inputs.all.size(), &shaped, status.status);
          status.check();
          inputs.all.push_back(shaped);
          require(tf.TF_TensorElementCount(shaped) == size, "a tensor of another size");
          *word = address(tf.TF_TensorData(shaped));
        }
        read.push_back(pointer(*word));
      }
      require(shaped, "a parameter without a gradient");
      for (int i = 0; i < rule->outputs; i++, word++) {
        if (!(fresh >> i & 1)) {
          written.push_back(const_cast<float*>(read[parameters.back().inputs + rule->replaces[i]]));
          continue;
        }
        require(int(outputs.all.size()) < asked, "too few outputs");
        int64_t shape[16];
        const int rank = tf.TF_NumDims(shaped);
        require(rank <= 16, "too many dimensions");
        for (int d = 0; d < rank; d++) shape[d] = tf.TF_Dim(shaped, d);
        // TensorFlow's allocator keeps what the last step's parameter gave back, so that no step waits for fresh pages.
        const size_t bytes = size * sizeof(float);
        TF_Tensor* t = tf.TF_AllocateOutput(context, outputs.all.size(), TF_FLOAT, shape, rank, bytes, status.status);
        status.check();
        outputs.all.push_back(t);
        written.push_back(static_cast<float*>(tf.TF_TensorData(t)));
        *word = address(written.back());
        if (rule->replaces[i] == 0) parameters.back().apart = reinterpret_cast<uintptr_t>(written.back()) % 16 == 0;
      }
    }
  }
  require(int(inputs.all.size()) == given, "too many tensors");
  require(int(outputs.all.size()) == asked, "too many outputs");

  // Nothing can fail from here on: what is written in place is written whole.
  auto work = std::make_shared<Work>();
  const int64_t chunkSize = std::clamp(values / (8 * threads) / line * line, smallest, largest);
  for (const Parameter& p : parameters) {
    for (int64_t from = 0, count; from < p.size; from += count) {
      count = std::min(p.size - from, chunkSize);
      const bool streams = bytes > cached && p.apart && count >= line;
      if (streams) count -= count % line;
      const Rule::Update update = streams ? p.rule->stream : p.rule->update;
      work->chunks.push_back({p.rule, update, p.scalars, &read[p.inputs], &written[p.outputs], from, count});
    }
  }
  if (threads > 1) helpers.finish(work);
  else work->help();
}

void compute(void*, TF_OpKernelContext* context) {
  std::string problem;
  try {
    return update(context);
  } catch (const std::exception& error) {
    problem = error.what();
  }
  TF_Status* status = tf.TF_NewStatus();
  tf.TF_SetStatus(status, TF_INVALID_ARGUMENT, problem.c_str());
  tf.TF_OpKernelContext_Failure(context, status);
  tf.TF_DeleteStatus(status);
}

void registerOp() {
  Status status;
  TF_OpDefinitionBuilder* op = tf.TF_NewOpDefinitionBuilder(OP);
  tf.TF_OpDefinitionBuilderAddAttr(op, "N: int >= 0");
  tf.TF_OpDefinitionBuilderAddAttr(op, "M: int >= 0");
  tf.TF_OpDefinitionBuilderAddInput(op, "tensors: N * float");
  tf.TF_OpDefinitionBuilderAddOutput(op, "updated: M * float");
  tf.TF_OpDefinitionBuilderSetIsStateful(op, true);
  tf.TF_RegisterOpDefinition(op, status.status);
  status.check();
  TF_KernelBuilder* kernel = tf.TF_NewKernelBuilder(
      OP, "CPU", [](TF_OpKernelConstruction*) -> void* { return nullptr; }, compute, [](void*) {});
  tf.TF_RegisterKernelBuilder(OP, kernel, status.status);
  status.check();
}

/** Registers the op once in a process, whatever number of Node's threads load this. */
void setUp() {
  static std::mutex lock;
  static bool done = false;
  std::lock_guard<std::mutex> held(lock);
  if (done) return;
  refuseSecondCopy();
  findTensorFlow();
  registerOp();
  done = true;
}

/** Loads a compiled rule for the rest of the process; returns its number. */
int loadRule(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) throw std::runtime_error(dlerror());
  auto update = reinterpret_cast<Rule::Update>(dlsym(library, "update"));
  auto stream = reinterpret_cast<Rule::Update>(dlsym(library, "stream"));
  auto* sizes = static_cast<const int*>(dlsym(library, "sizes"));
  auto* replaces = static_cast<const int*>(dlsym(library, "replaces"));
  bool sound = update && stream && sizes && replaces && sizes[0] >= 0 && sizes[1] >= 1 && sizes[1] <= most && sizes[2] >= 1 && sizes[2] <= most;
  for (int i = 0; sound && i < sizes[2]; i++) sound = replaces[i] >= 0 && replaces[i] < sizes[1];
  if (!sound) throw std::runtime_error(std::string(path) + " is not an update rule");
  std::lock_guard<std::mutex> held(rulesLock);
  rules.push_back({update, stream, sizes[0], sizes[1], sizes[2], replaces});
  return int(rules.size()) - 1;
}

/** Runs what may throw, and turns that into an error of JavaScript. */
template <typename F>
napi_value guarded(napi_env env, F body) {
  try {
    return body();
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

napi_value load(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    size_t count = 1, length = 0;
    napi_value argument, result;
    char path[4096];
    if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count != 1 ||
        napi_get_value_string_utf8(env, argument, path, sizeof path, &length) != napi_ok || length + 1 >= sizeof path) {
      throw std::runtime_error("load(path)");
    }
    napi_create_int32(env, loadRule(path), &result);
    return result;
  });
}

napi_value stage(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    size_t count = 1;
    napi_value argument;
    napi_typedarray_type type;
    void* values;
    if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count != 1 ||
        napi_get_typedarray_info(env, argument, &type, &scriptLength, &values, nullptr, nullptr) != napi_ok ||
        type != napi_float64_array) {
      throw std::runtime_error("stage(script)");
    }
    script = static_cast<double*>(values);
    if (scriptLength > 0 && *script > 1) helpers.call(static_cast<int>(*script));
    return nullptr;
  });
}

napi_value initialize(napi_env env, napi_value exports) {
  return guarded(env, [&] {
    setUp();
    bool avx2 = false;
#if defined(__x86_64__)
    avx2 = __builtin_cpu_supports("avx2");
#endif
    napi_value value;
    napi_get_boolean(env, avx2, &value);
    napi_set_named_property(env, exports, "avx2", value);
    napi_create_function(env, "load", NAPI_AUTO_LENGTH, load, nullptr, &value);
    napi_set_named_property(env, exports, "load", value);
    napi_create_function(env, "stage", NAPI_AUTO_LENGTH, stage, nullptr, &value);
    napi_set_named_property(env, exports, "stage", value);
    return exports;
  });
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, initialize)
