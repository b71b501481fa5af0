#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <new>
#include <system_error>

#include "runtime/cli/commands.h"
#include "runtime/cli/near_match.h"

namespace {

using namespace skiff;

/// Wrong options are the caller's fault (2), everything else a job that failed (1).
int exit_code_of(const Error& error) {
  const bool usage =
      error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::not_found;
  return usage ? 2 : 1;
}

/// "skiff", or "skiff bench" of a subcommand.
std::string title(const CLI::App& app) {
  return app.get_parent() == nullptr ? "skiff" : "skiff " + app.get_name();
}

/// Says which argument is unknown and what it might have been.
int explain_unknown(const CLI::App& app, const std::string& text) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::string flag = text.substr(0, text.find('='));
  const std::string meant = cli::near_match(flag, names);
  fmt::print(stderr, "{}: unknown argument {}{}\n", title(app), flag,
             meant.empty() ? "; --help lists all" : " (did you mean " + meant + "?)");
  return 2;
}

/// Says what is wrong with what stands before the subcommand.
int explain_early(const CLI::App& app, const CLI::App& command, const std::string& text) {
  const std::string flag = text.substr(0, text.find('='));
  if (command.get_option_no_throw(flag) == nullptr) return explain_unknown(app, text);
  fmt::print(stderr, "skiff: {0} stands before the command; flags follow it: skiff {1} {0}\n", flag,
             command.get_name());
  return 2;
}

int perform(const CLI::App& command, const cli::Action& action) {
  try {
    const int code = action();
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "{}: cannot write to standard output: {}\n", title(command),
               std::generic_category().message(errno));
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", title(command), error.what());
    return exit_code_of(error);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: not enough memory\n", title(command));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", title(command), error.what());
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs .skiff models on this device.", "skiff");
  app.set_version_flag("--version", SKIFF_VERSION);
  std::map<CLI::App*, cli::Action> actions;
  const auto add = [&](const char* name, const char* what, cli::Action (*declare)(CLI::App&)) {
    CLI::App* command = app.add_subcommand(name, what);
    command->allow_extras();
    actions[command] = declare(*command);
  };
  add("run", "computes the outputs for given inputs", cli::add_run);
  add("bench", "measures latency, throughput and memory", cli::add_bench);
  add("profile", "measures each layer", cli::add_profile);
  add("inspect", "shows what a model holds and needs", cli::add_inspect);
  add("verify", "checks this device against the model's golden data", cli::add_verify);
  add("doctor", "says what this machine is and what can be used", cli::add_doctor);
  app.allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const auto commands = app.get_subcommands();
    const CLI::App& at = commands.empty() ? app : *commands.front();
    if (const auto extras = at.remaining(); !extras.empty()) return explain_unknown(at, extras[0]);
    fmt::print(stderr, "{}: {}\n", title(at), error.what());
    return 2;
  }
  if (app.get_subcommands().empty()) {
    if (const auto extras = app.remaining(); !extras.empty())
      return explain_unknown(app, extras[0]);
    fmt::print(stderr, "{}", app.help());
    return 2;
  }
  CLI::App* const command = app.get_subcommands().front();
  if (const auto extras = app.remaining(); !extras.empty())
    return explain_early(app, *command, extras[0]);
  if (const auto extras = command->remaining(); !extras.empty())
    return explain_unknown(*command, extras[0]);
  return perform(*command, actions.at(command));
}
